import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { describeProviders, shippedDefinitions } from '../../src/providers/definitions.ts'
import { partyOf } from '../../src/providers/party.ts'

const read = (value: object) =>
  loadConfig({
    file: 'sekisho.jsonc',
    text: JSON.stringify(value),
    environment: { MAL_SECRET: 's3cret-of-mal' },
    dataDirectory: '/data',
    definitions: shippedDefinitions,
  })

test('MyAnimeList is set up by its client id alone', () => {
  const loaded = read({ providers: { myanimelist: { clientId: 'c', clientSecret: { $env: 'MAL_SECRET' } } } })
  const provider = loaded.ok ? loaded.config.providers['myanimelist'] : undefined
  if (!provider) throw new Error('not read')
  expect(partyOf(provider)).toMatchObject({
    id: 'myanimelist',
    pkce: 'plain',
    tokenUrl: 'https://myanimelist.net/v1/oauth2/token',
    client: { clientId: 'c', clientAuthentication: 'body' },
  })
  expect(provider.clientSecret?.reveal()).toBe('s3cret-of-mal')
  expect(JSON.stringify(loaded)).not.toContain('s3cret-of-mal')
})

test('a provider of another name takes no more than its entry', () => {
  const entry = { clientId: 'c', name: 'Own', authorizationUrl: 'https://o.example/a', tokenUrl: 'https://o.example/t' }
  const loaded = read({
    providers: { own: entry },
    mcpServers: { a: { url: 'https://a.example/mcp', provider: 'own' } },
  })
  expect(loaded).toMatchObject({
    ok: true,
    config: { providers: { own: { pkce: 'S256' } }, servers: [{ provider: 'own' }] },
  })
})

test('every key of a definition is documented, and every definition says how an application is registered', () => {
  const { keys, definitions } = describeProviders()
  expect(Object.entries(keys).filter(([, says]) => says === '')).toEqual([])
  expect(definitions.map(({ id }) => id)).toEqual(['myanimelist', 'github-oauth-app', 'github-app'])
  expect(definitions.every(({ help, docs, account }) => help && docs && account)).toBe(true)
})
