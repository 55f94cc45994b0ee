import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runScenario, type Order } from './scenario.ts'

/** Where the adapters ask for their scenarios to be run. */
export interface Driver extends AsyncDisposable {
  readonly url: string
}

/** The suite begins all its scenarios at once; a gate for each at the same moment would only make all of them slow. */
const AT_ONCE = 4

/** Starts what runs client scenarios: each with a gate of its own, some at a time. */
export async function startDriver(): Promise<Driver> {
  const turns = createTurns(AT_ONCE)
  const server = createServer((request, response) => void answer(request, response))
  // Whoever waits for its turn has sent nothing for long, and is no idle connection.
  server.requestTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const order: Order = JSON.parse(Buffer.concat(await request.toArray()).toString())
      const { ok, report } = await turns(() => runScenario(order))
      response.writeHead(ok ? 200 : 500).end(report)
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.stack : String(error))
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Does so many things at once; the others wait, first come, first served. */
function createTurns(most: number) {
  const waiting: (() => void)[] = []
  let under = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (under >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    under++
    try {
      return await work()
    } finally {
      under--
      waiting.shift()?.()
    }
  }
}
