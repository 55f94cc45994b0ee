import type { Status } from './answers.ts'
import type { Printer } from './print.ts'

type Server = Omit<Status['servers'][number], 'shared'>

/** A row for each server, as the gate tells of them and as its configuration does. */
export function printServers(print: Printer, servers: readonly Server[], none: string): void {
  const rows = servers.map(({ id, kind, needsToken, service = 'yes', provider = '-', description = '' }) => [
    id,
    kind,
    needsToken ? service : '-',
    provider,
    description,
  ])
  print.table(['SERVER', 'KIND', 'TOKEN OF EACH USER', 'ACCOUNT AT', 'DESCRIPTION'], rows, none)
}
