import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { startProgram, type Program } from '../../../../../scripts/lib/processes.ts'
import { namesOf, textFrom } from '../wire.ts'
import { disconnect, goOn, joinGate, linkFrom, OBSERVED, receivedBy } from './place.ts'

/** The example server of the official SDK with the authorization server that belongs to it, as they are. */
const SERVER = '@modelcontextprotocol/sdk/examples/server/simpleStreamableHttp.js'
const GREET = 'demo__greet'

interface Demo extends AsyncDisposable {
  readonly url: string
  /** The host of its authorization server. */
  readonly authorization: string
  output(): string
}

async function startDemo(): Promise<Demo> {
  const [port, authPort] = [await freePort(), await freePort()]
  const program: Program = startProgram({
    name: 'The example server',
    command: process.execPath,
    args: [OBSERVED, createRequire(import.meta.url).resolve(SERVER), '--oauth', '--oauth-strict'],
    env: { PATH: process.env['PATH'], MCP_PORT: String(port), MCP_AUTH_PORT: String(authPort) },
  })
  try {
    await program.match(new RegExp(`listening on port ${authPort}`), 20_000)
    await program.match(new RegExp(`listening on port ${port}`), 20_000)
  } catch (error) {
    await program.stop()
    throw error
  }
  return {
    url: `http://localhost:${port}/mcp`,
    authorization: `localhost:${authPort}`,
    output: program.output,
    [Symbol.asyncDispose]: async () => void (await program.stop()),
  }
}

/** R2-04, R4-21b–c: a server that follows the specification is connected by its address alone. */
test('the example server of the official SDK is connected by discovery, for each user by themselves', async () => {
  await using demo = await startDemo()
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  await using gate = await startGate({
    port,
    config: {
      outbound: { allowedHosts: [demo.authorization] },
      mcpServers: { demo: { url: demo.url, oauth: true } },
    },
  })
  const [ada, ben] = [await joinGate(gate, publicUrl, 'ada'), await joinGate(gate, publicUrl, 'ben')]

  // 1. A call names the page; its button leads through the authorization server and back.
  const link = await linkFrom(ada.door, GREET)
  const connected = await goOn(ada.browser, link)
  expect(connected.text).toMatch(/Connected/)
  expect(ada.browser.visited.some((url) => url.startsWith(`http://${demo.authorization}/authorize?`))).toBe(true)

  // 2. Listed and called with the token that the user was given.
  expect(await namesOf(ada.door)).toContain(GREET)
  expect(await textFrom(ada.door, GREET, { name: 'Ada' })).toBe('Hello, Ada!')
  const [adas, ...others] = receivedBy(demo.output())
  expect(others).toEqual([])

  // 3. Another user has nothing of it: neither the page of the first, nor the token.
  expect((await ben.browser.open(link)).has(/^Continue to/)).toBe(false)
  expect((await goOn(ben.browser, await linkFrom(ben.door, GREET))).text).toMatch(/Connected/)
  expect(await textFrom(ben.door, GREET, { name: 'Ben' })).toBe('Hello, Ben!')
  const [, bens] = receivedBy(demo.output())
  expect(bens).toBeDefined()
  expect(bens).not.toBe(adas)

  // 4. Disconnected: nothing is sent there any more, until the user connects again.
  await disconnect(ada.browser, publicUrl)
  const posted = () => demo.output().match(/^received POST \/mcp:/gm)?.length
  const before = posted()
  const again = await linkFrom(ada.door, GREET)
  expect(posted()).toBe(before)
  expect((await goOn(ada.browser, again)).text).toMatch(/Connected/)
  expect(await textFrom(ada.door, GREET, { name: 'Ada' })).toBe('Hello, Ada!')
  expect(receivedBy(demo.output())).toHaveLength(3)

  // 5. What opens the gate has not been sent to it.
  expect(receivedBy(demo.output())).not.toContain(ada.door.key)
  expect(demo.output()).not.toContain(ben.door.key)
})
