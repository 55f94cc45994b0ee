import type { Status } from './answers.ts'
import type { Printer } from './print.ts'

type Server = Omit<Status['servers'][number], 'shared'>

/** A row for each server, as the gate tells of them and as its configuration does. */
export function printServers(print: Printer, servers: readonly Server[], none: string): void {
  const rows = servers.map(({ id, kind, needsToken, service = 'yes', description = '' }) => [
    id,
    kind,
    needsToken ? service : '-',
    description,
  ])
  print.table(['SERVER', 'KIND', 'TOKEN OF EACH USER', 'DESCRIPTION'], rows, none)
}
