import { afterAll, describe, expect, test } from 'vitest'
import type { Browser } from '../../../../scripts/lib/browser.ts'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { acceptInvitation } from '../../../../scripts/lib/people.ts'
import type { Program } from '../../../../scripts/lib/processes.ts'
import { openSecureSite, type SecureSite } from '../attacks/secure-site.ts'
import { openInspector } from './inspector.ts'
import { referenceServer, tokenOf } from './place.ts'

/** R2-27, R1-15a: the whole way in of a client that was told nothing but the address. */
const inspector = await openInspector()
afterAll(() => inspector[Symbol.dispose]())

const isLeftOut = !inspector.isThere && process.env['CI'] !== 'true'

describe.skipIf(isLeftOut).each(['modern', 'legacy'])('MCP Inspector, unchanged, as a %s client', (era) => {
  test('registers itself, signs its user in and calls', { timeout: 60_000 }, async () => {
    await using place = await openPlace()
    const { clientId, said } = await callThrough(place, era, [])
    expect(said).toContain(tokenOf('ada', 'stdio'))
    expect(clientId).not.toMatch(/^https:/)
    expect(await clientsOf(place)).toContain('MCP Inspector')
  })

  test('names its metadata document, signs its user in and calls', { timeout: 60_000 }, async () => {
    await using place = await openPlace()
    const { document, readers } = place.website
    const { clientId, said } = await callThrough(place, era, ['--client-metadata-url', document])
    expect(said).toContain(tokenOf('ada', 'stdio'))
    expect(clientId).toBe(document)
    expect(readers).toEqual(['sekisho'])
    expect(await clientsOf(place)).toContain('MCP Inspector')
  })
})

interface Place extends AsyncDisposable {
  readonly publicUrl: string
  /** Where the client takes its answer. */
  readonly callback: string
  readonly website: Website
  /** The user's, signed in. */
  readonly browser: Browser
}

/** A gate that trusts the client's website, with a user who has a token of their own for its server. */
async function openPlace(): Promise<Place> {
  await using open = new AsyncDisposableStack()
  const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`
  const website = open.use(await openWebsite(callback))
  const port = await freePort()
  const gate = open.use(
    await startGate({
      port,
      env: { NODE_EXTRA_CA_CERTS: website.certificate },
      config: {
        outbound: { allowedHosts: [website.host] },
        mcpServers: { stdio: referenceServer({ TOKEN: { $userToken: '{{token}}' } }) },
      },
    }),
  )
  const browser = await acceptInvitation(await gate.inviteUser('ada'))
  await gate.setToken('ada', 'stdio', tokenOf('ada', 'stdio'))
  const opened = open.move()
  const publicUrl = `http://localhost:${port}`
  return { publicUrl, callback, website, browser, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Calls a tool, and lets the client in when it asks; answers with what it calls itself, and what it wrote. */
async function callThrough({ publicUrl, callback, browser }: Place, era: string, named: readonly string[]) {
  const server = [`${publicUrl}/mcp`, '--transport', 'http', '--protocol-era', era, '--callback-url', callback]
  const asked = ['--method', 'tools/call', '--tool-name', 'stdio__get-env', '--format', 'json', '-q']
  await using client = inspector.start(...server, ...named, ...asked)
  const sentTo = await allowWherever(client, browser)
  expect(await client.ended).toMatchObject({ code: 0 })
  return { clientId: sentTo.searchParams.get('client_id'), said: client.output() }
}

/** What the user's page says of the clients they let in. */
async function clientsOf({ browser, publicUrl }: Place): Promise<string> {
  return (await browser.open(`${publicUrl}/account/clients`)).text
}

/** Follows the client to where it sends its user, lets it in, and comes back to it. */
async function allowWherever(client: Program, browser: Browser): Promise<URL> {
  const [, address = ''] = await client.match(/navigate to: (\S+)/, 30_000)
  const question = await browser.open(address)
  const back = await question.press(/^Allow/)
  expect(back.text).toContain('OAuth complete')
  return new URL(address)
}

interface Website extends SecureSite {
  /** The address of the client's metadata document. */
  readonly document: string
  /** The programs that read the document. */
  readonly readers: readonly string[]
}

/** The website of a client, with its metadata document. */
async function openWebsite(redirectUri: string): Promise<Website> {
  const readers: string[] = []
  const site = await openSecureSite((request, response) => {
    if (request.url !== DOCUMENT) return void response.writeHead(404).end()
    readers.push(request.headers['user-agent'] ?? '')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ client_id: `${site.origin}${DOCUMENT}`, redirect_uris: [redirectUri], ...ABOUT }))
  })
  return { ...site, document: `${site.origin}${DOCUMENT}`, readers }
}

const DOCUMENT = '/clients/inspector.json'
const ABOUT = {
  client_name: 'MCP Inspector',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
}
