import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { eras } from '../../e2e/eras.ts'
import { startOddUpstream, type OddUpstream } from '../odd-upstream.ts'
import { doorOf } from '../../e2e/place.ts'
import { sendRaw, type RawAnswer, type RawRequest } from '../../e2e/raw.ts'
import { textFrom, type Door } from '../../e2e/wire.ts'

export const REQUEST_BYTES = 1_000_000

/** A gate in front of an odd upstream, and a user who does not mind how a client library would ask. */
export interface BadPlace extends AsyncDisposable {
  readonly gate: Gate
  readonly upstream: OddUpstream
  readonly key: string
  /** The merged address, for a modern client. */
  door(): Door
  /** Sends a request as it is. */
  knock(request: RawRequest): Promise<RawAnswer>
  /** Sends a body as a legacy client that is known. */
  sendBody(body: string | Buffer, more?: RawRequest): Promise<RawAnswer>
  /** Fails where a usual call does not work any more. */
  stillServes(): Promise<void>
}

export async function openBadPlace(): Promise<BadPlace> {
  const upstream = await startOddUpstream()
  const url = `${upstream.origin}/dual`
  const gate = await startGate({
    config: {
      mcpServers: { odd: { url }, other: { url } },
      limits: { requestBytes: REQUEST_BYTES, callsPerMinute: 100_000 },
      timeouts: { bodyMs: 1_000 },
    },
  })
  const { key } = await gate.addUser('ada')
  const knock = (request: RawRequest) => sendRaw(gate.url, request)
  return {
    gate,
    upstream,
    key,
    door: () => doorOf(gate, { key }),
    knock,
    sendBody(body, more = {}) {
      const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', ...(more.headers ?? [])]
      return knock({ ...more, headers, body })
    },
    async stillServes() {
      for (const era of eras) await textFrom(doorOf(gate, { key }, era), 'odd__echo')
    },
    async [Symbol.asyncDispose]() {
      await gate.stop()
      await upstream[Symbol.asyncDispose]()
    },
  }
}
