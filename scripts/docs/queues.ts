import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { code } from './markdown.ts'

const SOURCES = join(import.meta.dirname, '../../packages/gateway/src')

/** What waits somewhere in the gate; where no setting bounds it, its bound is read from the source. */
interface Queue {
  readonly waits: string
  readonly at: string | readonly Bound[]
  readonly beyond: string
}

/** A number in a file, behind these words. */
interface Bound {
  readonly file: string
  readonly behind: string
  readonly unit: string
}

const bound = (file: string, behind: string, unit: string): Bound => ({ file, behind, unit })

const queues: readonly Queue[] = [
  {
    waits: 'Requests and new connections, for the turn of their address',
    at: '`limits.requestsWaiting` and `limits.waitMs`; connections by `limits.connectionsPerAddress`',
    beyond: '503',
  },
  {
    waits: 'Requests sent ahead on one connection',
    at: '`limits.pipelined`',
    beyond: 'the connection is closed, and what was read of it is dropped',
  },
  {
    waits: 'Messages of one batch',
    at: [bound('base/json-rpc.ts', 'BATCH_MOST = ', '')],
    beyond: '400',
  },
  {
    waits: 'Calls, for a connection to a server that has no more',
    at: '`limits.concurrentCalls` and `limits.requestsInFlight`, until `timeouts.callMs`',
    beyond: '429, 503 and 504',
  },
  {
    waits: 'Servers to be started for one list',
    at: [bound('registry/registry.ts', 'STARTS_MOST = ', ' at once')],
    beyond: 'the list shows what was known last',
  },
  {
    waits: 'Servers to be started in all',
    at: '`stdio.maxChildren` and `stdio.maxChildrenPerUser`',
    beyond: 'the one that is idle for longest ends, or 503',
  },
  {
    waits: 'Requests to a stdio server that does not read',
    at: [bound('upstreams/children/pipes.ts', 'FULL_BYTES = ', ' bytes')],
    beyond: 'calls wait, until `timeouts.callMs`',
  },
  {
    waits: 'Everything else that is written to it',
    at: [bound('upstreams/children/pipes.ts', 'UNREAD_BYTES = ', ' bytes')],
    beyond: 'it is not written',
  },
  {
    waits: 'Messages to a server of HTTP+SSE',
    at: [
      bound('upstreams/transports/sse-post.ts', 'FULL_BYTES = ', ' bytes of requests'),
      bound('upstreams/transports/sse-post.ts', 'UNREAD_BYTES = ', ' bytes of all'),
      bound('upstreams/transports/sse-post.ts', 'POSTS_MOST = ', ' on their way'),
    ],
    beyond: 'calls wait, until `timeouts.callMs`; the rest is not sent',
  },
  {
    waits: 'Questions of one server to clients',
    at: [
      bound('upstreams/children/calls.ts', 'QUESTIONS_MOST = ', ' of a stdio server'),
      bound('upstreams/transports/http-speech.ts', 'ANSWERS_MOST = ', ' in a session over HTTP'),
    ],
    beyond: 'the next is refused, or not answered',
  },
  {
    waits: 'Calls that wait for what their user was asked',
    at: [
      bound('mcp/bridge/parking.ts', 'calls: ', ' in all'),
      bound('mcp/bridge/parking.ts', 'callsPerUser: ', ' of a user'),
      bound('mcp/bridge/parking.ts', 'bytesPerUser: ', ' MB of a user'),
    ],
    beyond: 'what is kept of the oldest that ended is dropped; else the user cannot be asked',
  },
  {
    waits: 'What a client does not read of an answer, or of a stream',
    at: [
      bound('mcp/outlet.ts', 'STALLED_BYTES = ', ' bytes of an answer'),
      bound('mcp/sessions/journal.ts', 'STALLED_BYTES = ', ' bytes of a stream'),
    ],
    beyond: 'the connection is closed',
  },
  {
    waits: 'Events of a stream whose client may come back',
    at: [
      bound('storage/shared/event-bounds.ts', '{ events: ', ' events'),
      bound('storage/shared/event-bounds.ts', ', bytes: ', ' bytes'),
    ],
    beyond: 'the oldest are dropped, and the client looks at everything again',
  },
  {
    waits: 'Audit entries of one tenant that cannot be written',
    at: [bound('audit/append.ts', 'queueLimit = ', ' entries')],
    beyond: '503, and nothing is done unrecorded',
  },
  {
    waits: 'Passwords to be checked',
    at: [bound('login/argon2.ts', 'WAITING = ', '')],
    beyond: '429',
  },
  {
    waits: 'Statements, for a connection to PostgreSQL',
    at: [bound('storage/dialects/postgres.ts', 'CONNECT_TIMEOUT_MS = ', ' ms')],
    beyond: '503',
  },
  {
    waits: 'Messages to another process, over Redis',
    at: [
      bound('storage/shared/relay-lanes.ts', 'WINDOW_BYTES = ', ' bytes on their way'),
      bound('storage/shared/relay-lanes.ts', 'PATIENCE_MS = ', ' ms where Redis is away'),
    ],
    beyond: 'the call they belong to waits, or fails',
  },
  { waits: 'Commands to a Redis that is away', at: 'none wait', beyond: 'they fail at once' },
]

/** The rows of all queues: what waits, how much of it at most, and what happens to the rest. */
export function queueRows(): string[][] {
  return queues.map(({ waits, at, beyond }) => [waits, typeof at === 'string' ? at : at.map(read).join(', '), beyond])
}

/** @throws {Error} where the source says it otherwise by now */
function read({ file, behind, unit }: Bound): string {
  const text = readFileSync(join(SOURCES, file), 'utf8')
  const [, digits] = text.split(behind, 2)
  const [product] = /^[\d_]+(?: \* [\d_]+)*/.exec(digits ?? '') ?? []
  if (product === undefined) throw new Error(`there is no number behind ${code(behind)} in ${file}`)
  const value = product.split(' * ').reduce((all, factor) => all * Number(factor.replaceAll('_', '')), 1)
  return `${value.toLocaleString('en')}${unit}`
}
