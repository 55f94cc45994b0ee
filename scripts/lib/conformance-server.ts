import { join, resolve } from 'node:path'
import { freePort } from './free-port.ts'
import { startGate } from './gate.ts'
import { startHeaderProxy } from './header-proxy.ts'
import { startProgram } from './processes.ts'
import { runSuite, type SuiteResult } from './conformance-suite.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const EVERYTHING = join(ROOT, 'packages/playground/src/everything/bin.ts')
const START_MS = 30_000

/** What the suite speaks to: a proxy with a key, the gate behind it, the everything server behind that. */
export interface Front extends AsyncDisposable {
  readonly url: string
}

/** Opens a server, a gate and a proxy of their own, so that no set of scenarios finds what another left. */
export async function openFront(): Promise<Front> {
  await using open = new AsyncDisposableStack()
  const everything = startProgram({
    name: 'The everything server',
    command: process.execPath,
    args: [EVERYTHING, '--port', '0'],
  })
  open.defer(async () => void (await everything.stop()))
  const [, upstream = ''] = await everything.match(/everything on (\S+)/, START_MS)

  // The suite sends the proxy's address as Host and Origin, and the gate must not take any other for it.
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const gate = open.use(
    await startGate({
      config: {
        mcpServers: { everything: { url: upstream } },
        allowedHosts: [host],
        allowedOrigins: [`http://${host}`],
      },
    }),
  )
  const { key } = await gate.addUser('suite')
  const headers = { Authorization: `Bearer ${key}` }
  open.use(await startHeaderProxy({ port, target: gate.url, headers }))

  const opened = open.move()
  return { url: `http://${host}/mcp/everything`, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Runs server scenarios. */
export function runServer({ url }: Front, which: readonly string[]): Promise<SuiteResult> {
  return runSuite({ args: ['server', '--url', url, ...which] })
}
