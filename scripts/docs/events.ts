import { events } from '../../packages/gateway/src/audit/events.ts'
import { code, heading, table } from './markdown.ts'

/** Everything that is kept for ever. */
export function eventsPage(): string {
  const intro =
    'What the audit log keeps. Each entry holds when it was, who did it, under which request id, and the fields named ' +
    'here; nothing else is ever written.'
  return heading('Audit events', intro) + Object.entries<Row>(events).map(section).join('\n')
}

interface Row {
  readonly means: string
  readonly fields: Readonly<Record<string, string>>
}

function section([name, { means, fields }]: [string, Row]): string {
  const rows = Object.entries(fields).map(([field, says]) => [code(field), says])
  return `## ${name}\n\n${means}\n\n${table(['Field', 'Holds'], rows)}`
}
