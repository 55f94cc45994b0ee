import { describe, expect, test } from 'vitest'
import {
  describeKnown,
  hasGoodRedirects,
  normaliseDocument,
  normaliseMetadata,
} from '../../src/authserver/client-metadata.ts'
import { redirectHostOf, withoutLoopbackPort } from '../../src/authserver/redirects.ts'

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const ASSERTED = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const usual = { redirect_uris: ['https://app.test/cb'] }

describe('what a client says of itself', () => {
  test('is taken over where it can be, and no more than that', () => {
    const jwks = { keys: [{ kty: 'EC', key_ops: ['verify'], ext: true, n: 1 }] }
    const kept = {
      client_name: 'App',
      client_uri: 'https://app.test/',
      tos_uri: 'http://app.test/terms',
      policy_uri: 'https://app.test/policy',
      jwks_uri: 'https://app.test/keys',
      jwks,
    }
    expect(
      normaliseMetadata({ ...usual, ...kept, logo_uri: 'https://app.test/logo.png', contacts: ['a@app.test'] }),
    ).toEqual({
      ...usual,
      ...kept,
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    })
  })

  test.for([
    ['client_uri', 'javascript:alert(1)'],
    ['tos_uri', 'data:text/html,x'],
    ['policy_uri', 'xhttps://app.test/'],
    ['jwks_uri', 'https+x://app.test/'],
    ['client_uri', 'nothing'],
    ['client_uri', 7],
    ['client_name', '  '],
    ['client_name', 7],
    ['jwks', { keys: [{ kty: { nested: true } }] }],
    ['jwks', { keys: 'none' }],
    ['scope', ['mcp']],
  ] as const)('is left out where it cannot be believed: %s %j', ([name, value]) => {
    expect(normaliseMetadata({ ...usual, [name]: value })).not.toHaveProperty(name)
  })

  test('has a name that fits on a page', () => {
    expect(normaliseMetadata({ ...usual, client_name: 'x'.repeat(201) })['client_name']).toBe('x'.repeat(200))
  })

  test.for([
    [['http://127.0.0.1/cb'], 'native'],
    [['https://app.test/cb', 'http://localhost:1/cb'], 'native'],
    [['com.example.app:/cb'], 'native'],
    [['https://app.test/cb'], 'web'],
    [['http://app.test/cb', 7], 'web'],
  ] as const)('tells where it runs: answered at %j it is %s', ([redirect_uris, type]) => {
    expect(normaliseMetadata({ redirect_uris })['application_type']).toBe(type)
  })

  test('may name the grants there are, and those of others are no reason to turn it away', () => {
    const grants = (grant_types: unknown, more: object = usual) =>
      normaliseMetadata({ grant_types, ...more })['grant_types']
    const both = ['authorization_code', 'refresh_token']
    expect(grants(undefined)).toEqual(both)
    expect(grants(['implicit', 'client_credentials', 7])).toEqual(both)
    expect(grants([DEVICE, ASSERTED])).toEqual([...both, DEVICE, ASSERTED])
    expect(grants([DEVICE], {})).toEqual(['refresh_token', DEVICE])
    expect(grants([DEVICE, 'authorization_code'], {})).toEqual([...both, DEVICE])
  })

  test('a terminal that shows a code needs no address, and is native', () => {
    for (const redirect_uris of [undefined, []]) {
      const terminal = { grant_types: [DEVICE], redirect_uris }
      expect(hasGoodRedirects(terminal)).toBe(true)
      expect(normaliseMetadata(terminal)).toMatchObject({
        redirect_uris: [],
        response_types: [],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
      })
    }
    expect(hasGoodRedirects({ grant_types: [DEVICE], redirect_uris: ['http://app.test/cb'] })).toBe(false)
    expect(hasGoodRedirects({ grant_types: [DEVICE, 'authorization_code'] })).toBe(false)
    expect(hasGoodRedirects({ grant_types: [ASSERTED] })).toBe(false)
  })

  test('every address must be one that an answer may be sent to, and there are not too many', () => {
    const many = (count: number) => Array.from({ length: count }, (_unused, index) => `https://app.test/${index}`)
    const good = (redirect_uris: unknown) => hasGoodRedirects({ redirect_uris })
    expect([good(many(1)), good(many(32)), good(many(33))]).toEqual([true, true, false])
    expect(good(['https://app.test/cb', 'http://app.test/cb'])).toBe(false)
    expect([good(['https://app.test/cb', 7]), good('https://app.test/cb'), good([]), good(undefined)]).toEqual(
      Array(4).fill(false),
    )
  })

  test('by a document, it has no secret, and one that claims to is left for the library to refuse', () => {
    const document = { client_id: 'https://app.test/client.json', ...usual }
    expect(normaliseDocument(document)).toMatchObject({ ...document, token_endpoint_auth_method: 'none' })
    expect(normaliseDocument(document)).not.toHaveProperty('client_secret')
    expect(normaliseDocument({ ...document, client_secret: 's' })).toMatchObject({ client_secret: 's' })
    const method = 'private_key_jwt'
    const signing = normaliseDocument({ ...document, token_endpoint_auth_method: method })
    expect(signing['token_endpoint_auth_method']).toBe(method)
  })

  test('in the configuration, it proves who it is by keys or not at all', () => {
    const known = { clientId: 'ours', name: 'Ours', redirectUris: ['https://app.test/cb'] }
    expect(describeKnown(known)).toEqual({
      client_id: 'ours',
      client_name: 'Ours',
      redirect_uris: known.redirectUris,
      application_type: 'web',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', DEVICE, ASSERTED],
      response_types: ['code'],
    })
    const jwksUri = 'https://app.test/keys'
    expect(describeKnown({ ...known, jwksUri })).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: jwksUri,
    })
  })

  test.for([
    ['mcp', 'mcp'],
    ['openid', 'openid mcp'],
    ['offline_access mcp openid', 'openid offline_access mcp'],
    ['repo admin', 'mcp'],
    ['', 'mcp'],
  ])('asks for what is understood here, and always for MCP: %j is %j', ([scope, kept]) => {
    expect(normaliseMetadata({ ...usual, scope })['scope']).toBe(kept)
  })
})

test.for([
  ['https://app.test/cb', 'app.test'],
  ['http://127.0.0.1:4711/cb', '127.0.0.1:4711'],
  ['com.example.app:/cb', 'com.example.app:'],
  ['cursor://auth/cb', 'cursor://auth'],
  ['nothing', ''],
])('a person is told that the answer to %s goes to %s', ([uri = '', host]) => {
  expect(redirectHostOf(uri)).toBe(host)
})

test.for([
  ['127.0.0.1:4711', '127.0.0.1'],
  ['[::1]:1', '[::1]'],
  ['localhost', 'localhost'],
  ['app.test:8443', 'app.test:8443'],
  ['cursor://auth', 'cursor://auth'],
])('a port counts but on the user’s machine: %s is %s', ([host = '', kept]) => {
  expect(withoutLoopbackPort(host)).toBe(kept)
})
