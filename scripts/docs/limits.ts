import type { ErrorRow } from '../../packages/gateway/src/base/error-row.ts'
import { errors } from '../../packages/gateway/src/base/errors.ts'
import { configJsonSchema } from '../../packages/gateway/src/config/schema.ts'
import { code, heading, table } from './markdown.ts'
import { queueRows } from './queues.ts'

type Schema = ReturnType<typeof configJsonSchema>

/** The sections of the configuration whose settings bound something. */
const SECTIONS = ['limits', 'timeouts', 'stdio']

/** Every limit that is a setting: what it bounds, and how it shows that it was reached. */
export function limitsPage(): string {
  const intro =
    'Every limit below is a key of `sekisho.jsonc`. Where one is reached, the request, the answer or the connection that ' +
    'went too far is refused or ended, nothing else is, and `sekisho_refused_total` counts it under the name of the setting. ' +
    'Health checks are answered whatever else is refused. How deep JSON is nested has no limit, since it is read without ' +
    'recursion; only a configuration may not be deeper than 64.'
  const { properties = {} } = configJsonSchema()
  const rows = SECTIONS.flatMap((name) => rowsOf(name, properties[name]))
  const settings = heading('Limits', intro) + table(['Setting', 'Default', 'What it bounds', 'Answered with'], rows)
  return settings + QUEUES + table(['What waits', 'How much of it', 'And then'], queueRows())
}

const QUEUES = `
## Queues

Nothing waits without end. A bound that is no setting holds for the one server, stream, tenant or process it is about.

`

function rowsOf(path: string, schema: Schema | boolean | undefined): string[][] {
  if (typeof schema !== 'object') return []
  if (schema.properties === undefined)
    return [[code(path), code(String(schema.default)), schema.description ?? '', answersFor(path)]]
  return Object.entries(schema.properties).flatMap(([key, value]) => rowsOf(`${path}.${key}`, value))
}

/** An endpoint has a limit of its own, and all of them one error. */
function answersFor(path: string): string {
  const found = Object.entries<ErrorRow>(errors).filter(
    ([, { limit }]) => limit !== undefined && (path === limit || path.startsWith(`${limit}.`)),
  )
  const links = found.map(([name, { status }]) => `[${name}](errors.md#${name.replace('.', '')}) (${status})`)
  return links.length > 0 ? links.join(', ') : (ENDED[path] ?? '')
}

/** What is not answered at all, and those that share an error with another setting. */
const OVERLOADED = '[gate.overloaded](errors.md#gateoverloaded) (503)'
const ENDED: Readonly<Record<string, string>> = {
  'limits.connections': 'the connection is closed',
  'limits.connectionsPerAddress': 'the connection is closed',
  'limits.pipelined': 'the connection is closed',
  'limits.streams': OVERLOADED,
  'limits.requestsWaiting': OVERLOADED,
  'limits.waitMs': OVERLOADED,
  'limits.loopDelayMs': OVERLOADED,
  'limits.heapPercent': OVERLOADED,
  'timeouts.headersMs': '[request.timeout](errors.md#requesttimeout) (408)',
  'timeouts.listMs': 'the list as it was last known',
  'timeouts.drainMs': 'what is under way is given up',
  'stdio.maxChildrenPerUser': '[upstream.capacity](errors.md#upstreamcapacity) (503)',
  'stdio.idleMs': 'the server is ended until it is called',
  'stdio.logBytes': 'the oldest is forgotten',
}
