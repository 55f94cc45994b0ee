import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import { expect, test } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { createSigningIn } from '../../../../scripts/lib/oauth-client.ts'
import { acceptInvitation, allowClient } from '../../../../scripts/lib/people.ts'
import { childServer } from './place.ts'

const REDIRECT = 'http://127.0.0.1:6795/callback'

/** R2-27: a program of a few lines, as the SDK's own guide has it, finds out the era and the way in by itself. */
test.each(['/mcp', '/mcp/notes'])('a client that finds out everything by itself is let in at %s', async (path) => {
  const port = await freePort()
  await using gate = await startGate({ port, config: { mcpServers: { notes: childServer() } } })
  const browser = await acceptInvitation(await gate.inviteUser('ada'), {
    stopAt: (url) => url.href.startsWith(REDIRECT),
  })
  const authProvider = createSigningIn({ redirectUrl: REDIRECT })
  const open = () => new StreamableHTTPClientTransport(new URL(`http://localhost:${port}${path}`), { authProvider })
  const make = () => new Client({ name: 'a program', version: '1' }, { versionNegotiation: { mode: 'auto' } })

  const first = open()
  await expect(make().connect(first)).rejects.toThrow(UnauthorizedError)
  if (authProvider.sentTo === undefined) throw new Error('the client sent its user nowhere')
  const callback = await allowClient(browser, authProvider.sentTo, 'ada')
  await first.finishAuth(callback.searchParams)

  const client = make()
  await client.connect(open())
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  expect(authProvider.timesSent).toBe(1)
  await client.close()
})
