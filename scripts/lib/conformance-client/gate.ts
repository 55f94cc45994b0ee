import { chmodSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../../packages/gateway/src/base/clock.ts'
import { systemRandom } from '../../../packages/gateway/src/base/ids.ts'
import type { Log } from '../../../packages/gateway/src/base/log.ts'
import { socketPathOf } from '../../../packages/gateway/src/base/socket-path.ts'
import { requireConfig } from '../../../packages/gateway/src/config/load.ts'
import { createGateway } from '../../../packages/gateway/src/gateway.ts'
import { listen } from '../../../packages/gateway/src/http/serve.ts'
import { createAdminClient } from '../admin.ts'
import { freePort } from '../free-port.ts'

/** A gate within this process, for one scenario. */
export interface ScenarioGate extends AsyncDisposable, ReturnType<typeof createAdminClient> {
  /** Without a slash at the end. */
  readonly url: string
  /** What it logged, a line each. */
  log(): string
}

const REQUEST_MS = 30_000

/** Opens a gate as its program does, with sockets and a database of its own; what is left out is the process. */
export async function openScenarioGate(file: object): Promise<ScenarioGate> {
  await using open = new AsyncDisposableStack()
  const dataDirectory = await mkdtemp(join(tmpdir(), 'sekisho-'))
  open.defer(() => rm(dataDirectory, { recursive: true, force: true }))
  const { config } = requireConfig({
    file: join(dataDirectory, 'sekisho.jsonc'),
    text: JSON.stringify({ ...file, listen: { port: await freePort() } }),
    environment: {},
    dataDirectory,
  })

  const { log, text } = keptLog()
  const world = { clock: systemClock, random: systemRandom, log, environment: {}, builtins: {} }
  const gateway = await createGateway(config, world)
  open.defer(async () => {
    gateway.stop()
    await gateway.close()
  })
  const settings = { requestMs: REQUEST_MS, refuse: gateway.refuse }
  const network = await listen(gateway.handle, config.listen, settings)
  open.defer(() => network.close(0))
  const socket = socketPathOf(dataDirectory)
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
  const operator = await listen(gateway.handleOperator, { socket }, settings)
  open.defer(() => operator.close(0))
  chmodSync(socket, 0o600)

  const opened = open.move()
  return {
    url: config.publicUrl,
    log: text,
    ...createAdminClient(dataDirectory),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Kept for whoever wants to know why a scenario failed. */
function keptLog(): { log: Log; text(): string } {
  const lines: string[] = []
  const at = (level: string) => (facts: object, event: string) =>
    void lines.push(`${level} ${event} ${JSON.stringify(facts, showError)}`)
  return {
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    text: () => lines.join('\n'),
  }
}

function showError(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { message, cause } = value
  return { message, ...Object.fromEntries(Object.entries(value)), ...(cause !== undefined && { cause }) }
}
