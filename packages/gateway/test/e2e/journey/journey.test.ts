import { setTimeout as sleep } from 'node:timers/promises'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { users } from '@sekisho/playground/mal/users'
import { expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { createSigningIn, type SigningIn } from '../../../../../scripts/lib/oauth-client.ts'
import { acceptInvitation, allowClient, connectMal } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from './outside.ts'

/**
 * The whole way of a client that knows nothing but the gate's address, in both eras: R2-27, R1-15a, R1-25d–f, R2-04,
 * R4-21.
 */
const REDIRECT = 'http://127.0.0.1:6789/callback'
const LIST = 'mal__get_my_anime_list'
const mika = account('mika')

/** A client of one of the eras, that was let in. */
interface Client extends AsyncDisposable {
  readonly signingIn: SigningIn
  toolNames(): Promise<string[]>
  /** Calls a tool; where the gate asks for something to be opened, `open` does it, and the call is made again. */
  call(tool: string, open?: (url: string) => Promise<void>, args?: Record<string, unknown>): Promise<string>
}

type Connect = (outside: Outside, browser: Browser, name: string) => Promise<Client>

const eras: readonly { readonly era: string; readonly connect: Connect }[] = [
  { era: '2026-07-28', connect: connectModern },
  { era: '2025-11-25', connect: connectLegacy },
]

test.for(eras)('from a bare address to a renewed and a revoked connection, in $era', async ({ connect }) => {
  await using outside = await openOutside()
  const { gate, publicUrl, mal } = outside
  const browser = await acceptInvitation(await gate.inviteUser('ada'), { stopAt: isRedirect })

  // 1. 401 says where the metadata is, and that leads to the authorization server.
  const refused = await fetch(`${publicUrl}/mcp`, { method: 'POST', body: '{}' })
  expect(refused.status).toBe(401)
  const metadata = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1]
  expect(metadata).toBe(`${publicUrl}/.well-known/oauth-protected-resource/mcp`)
  expect(await (await fetch(metadata ?? '')).json()).toMatchObject({
    resource: `${publicUrl}/mcp`,
    authorization_servers: [publicUrl],
  })

  // 2. Registration, sign-in, consent, token: the SDK does the client's part, the browser the user's.
  await using client = await connect(outside, browser, 'ada')
  expect(client.signingIn.timesSent).toBe(1)
  expect(await client.toolNames()).toContain(LIST)

  // 3. Not connected yet: the user is led to the page, connects, and the same call succeeds.
  const opened: string[] = []
  const open = async (url: string) => {
    opened.push(url)
    const page = await connectMal(browser, url, mika)
    expect(page.text).toMatch(/Connected/)
  }
  expect(await client.call(LIST, open)).toMatch(/12/)
  expect(opened).toHaveLength(1)
  expect(opened[0]).toMatch(new RegExp(`^${publicUrl}/connect/mal\\?`))

  // 4. The upstream token expires: it is renewed and nobody notices. (What was asked a moment ago is kept.)
  mal.expireTokens('mika')
  const before = refreshes(mal)
  expect(await client.call(LIST, undefined, { limit: 50 })).toMatch(/12/)
  expect(refreshes(mal)).toBe(before + 1)

  // 5. Revoked at the provider: the user is told, and connects again.
  mal.revoke('mika')
  opened.length = 0
  expect(await client.call(LIST, open, { limit: 60 })).toMatch(/12/)
  expect(opened).toHaveLength(1)
})

test('a user who is not done when their client asks again is waited for, and one who declines is asked once', async () => {
  await using outside = await openOutside({
    config: {
      mcpServers: {
        mal: { builtin: 'mal' },
        everything: {
          builtin: 'everything',
          requiresUserToken: true,
          tokenSetup: { name: 'Demo', instructions: 'Any.' },
        },
      },
    },
  })
  const browser = await acceptInvitation(await outside.gate.inviteUser('ada'), { stopAt: isRedirect })
  await using client = await connectModern(outside, browser, 'ada')
  let asked = 0
  for (const tool of [LIST, 'everything__test_simple_text']) {
    await expect(client.call(tool, () => Promise.reject(new Declined(++asked)))).rejects.toThrow(/connection\.declined/)
  }
  expect(asked).toBe(2)

  const connecting: Promise<unknown>[] = []
  const later = async (url: string) => {
    connecting.push(sleep(1_500).then(() => connectMal(browser, url, mika)))
  }
  expect(await client.call(LIST, later)).toMatch(/12/)
  expect(connecting).toHaveLength(1)
  await Promise.all(connecting)
})

test('a client that can open no address reads the link in the tool’s result', async () => {
  await using outside = await openOutside()
  const { key } = await outside.gate.addUser('ada')
  const answer = await fetch(`${outside.publicUrl}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: LIST, arguments: {} } }),
  })
  const { result } = (await answer.json()) as { result: { isError: boolean; content: { text: string }[] } }
  expect(result.isError).toBe(true)
  expect(result.content[0]?.text).toContain(`${outside.publicUrl}/connect/mal?`)
})

/** What a user does who does not want to. */
class Declined extends Error {
  constructor(times: number) {
    super(`declined ${times} times`)
  }
}

function account(name: string): { name: string; password: string } {
  const found = users.find((user) => user.name === name)
  if (!found) throw new Error(`the playground has no user ${name}`)
  return found
}

function isRedirect(url: URL): boolean {
  return url.href.startsWith(REDIRECT)
}

function refreshes({ requests }: Outside['mal']): number {
  return requests.filter(({ method, path }) => method === 'POST' && path === '/v1/oauth2/token').length
}

async function connectModern({ publicUrl }: Outside, browser: Browser, name: string): Promise<Client> {
  const signingIn = createSigningIn({ redirectUrl: REDIRECT })
  let opener: ((url: string) => Promise<void>) | undefined
  const make = () => {
    const made = new ModernClient(
      { name: 'journey', version: '1.0.0' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { url: {} } } },
    )
    made.setRequestHandler('elicitation/create', async ({ params }) => {
      if (params.mode !== 'url' || !opener) return { action: 'decline' }
      try {
        await opener(params.url)
        return { action: 'accept' }
      } catch (error) {
        if (error instanceof Declined) return { action: 'decline' }
        throw error
      }
    })
    return made
  }
  const transport = () => new ModernTransport(new URL(`${publicUrl}/mcp`), { authProvider: signingIn })
  const first = transport()
  await expect(make().connect(first)).rejects.toThrow(/[Uu]nauthorized/)
  const callback = await allowClient(browser, requireSent(signingIn), name)
  await first.finishAuth(callback.searchParams)
  const client = make()
  await client.connect(transport())
  return {
    signingIn,
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    async call(tool, open, args = {}) {
      opener = open
      return textOf(await client.callTool({ name: tool, arguments: args }))
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

async function connectLegacy({ publicUrl }: Outside, browser: Browser, name: string): Promise<Client> {
  const signingIn = createSigningIn({ redirectUrl: REDIRECT })
  const make = () =>
    new LegacyClient({ name: 'journey', version: '1.0.0' }, { capabilities: { elicitation: { url: {} } } })
  const transport = () => new LegacyTransport(new URL(`${publicUrl}/mcp`), { authProvider: signingIn })
  const first = transport()
  await expect(make().connect(first)).rejects.toThrow(/[Uu]nauthorized/)
  const callback = await allowClient(browser, requireSent(signingIn), name)
  await first.finishAuth(callback.searchParams.get('code') ?? '')
  const client = make()
  await client.connect(transport())
  const call: Client['call'] = async (tool, open, args = {}) => {
    try {
      return textOf(await client.callTool({ name: tool, arguments: args }))
    } catch (error) {
      if (!(error instanceof UrlElicitationRequiredError) || !open) throw error
      for (const { url } of error.elicitations) await open(url)
      return call(tool, undefined, args)
    }
  }
  return {
    signingIn,
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call,
    [Symbol.asyncDispose]: () => client.close(),
  }
}

function requireSent({ sentTo }: SigningIn): URL {
  if (!sentTo) throw new Error('the client sent its user nowhere')
  return sentTo
}

function textOf(result: object): string {
  const text = JSON.stringify(result)
  if ('isError' in result && result.isError === true) throw new Error(text)
  return text
}
