import type { Launch } from '../children/launch.ts'
import type { Children, ChildView } from '../children/pool.ts'
import type { ClientView } from '../client.ts'
import type { Transport, Who } from '../transport.ts'
import { createPiped, type PipedNeeds } from './piped.ts'

export interface StdioTransportNeeds extends Omit<PipedNeeds<Launch>, 'seats'> {
  readonly children: Children
}

/** Reaches an MCP server that is a child process, one per user and kind of client unless it is shared. */
export function createStdioTransport({ children, ...needs }: StdioTransportNeeds): Transport {
  const { placeOf, ...piped } = createPiped({ ...needs, seats: children })
  const { upstream, shared } = needs

  function find({ tenant, userId }: Who, client: ClientView | undefined): ChildView | undefined {
    if (client) return children.find(placeOf({ tenant, userId }, client))
    return children.find({ tenant, userId: shared ? undefined : userId, upstream })
  }

  return {
    ...piped,
    startedAt(who, client) {
      const child = find(who, client)
      return child && RESTING.has(child.state) ? undefined : child?.since
    },
  }
}

/** States of a child that takes no more work: the next request starts another. */
const RESTING: ReadonlySet<ChildView['state']> = new Set(['draining', 'ending'])
