import { rooms } from '../../packages/gateway/src/rooms.ts'
import { code, heading, table } from './markdown.ts'

/** Which room may import which, floor by floor. */
export function roomsPage(): string {
  const rows = Object.entries(rooms).map(([name, { floor, imports, owns }]) => [
    String(floor),
    `[${name}](../../packages/gateway/src/${name}/README.md)`,
    owns,
    imports.map(code).join(', ') || 'nothing',
  ])
  const intro =
    'The gateway is built in rooms. Imports go down, never sideways or up, type imports too; a room is entered through ' +
    'its named files. A test compares this table with the source.'
  return heading('Rooms', intro) + table(['Floor', 'Room', 'Owns', 'May import'], rows)
}
