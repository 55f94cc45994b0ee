import { readMessage, type RpcRequest } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Launch } from '../children/launch.ts'
import type { Owner } from '../children/owner.ts'
import type { Children, ChildView } from '../children/pool.ts'
import type { ChildLimits } from '../children/settings.ts'
import type { Handshake, UpstreamEra, UpstreamEras } from '../era.ts'
import type { Caller, Transport, Who } from '../transport.ts'

export interface StdioTransportNeeds {
  readonly children: Children<Handshake>
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  /** Whether all users of a tenant share one child. */
  readonly shared: boolean
  /** Where this upstream has limits of its own. */
  readonly limits?: Partial<ChildLimits>
  /**
   * Fills in the configuration for one caller, on a copy; the same for everybody where the child is shared.
   *
   * @throws {Problem} where the caller lacks something, such as a token.
   */
  launchFor(caller: Caller): Launch
}

/** Reaches an MCP server that is a child process, one per user unless it is shared. */
export function createStdioTransport(needs: StdioTransportNeeds): Transport {
  const { children, upstream, eras, shared, limits = {}, launchFor } = needs
  let closed = false

  function ownerOf({ tenant, userId }: Who): Owner {
    return { tenant, userId: shared ? undefined : userId, upstream }
  }

  return {
    async send(exchange, caller) {
      if (closed) throw problem('gate.stopping')
      const placement = { owner: ownerOf(caller), launch: launchFor(caller), limits }
      return children.use(placement, exchange.signal, async ({ handshake: { era }, send }) => {
        const bytes = await send({ ...exchange, request: dressed(exchange.request, eras[era]) })
        return { kind: 'whole', bytes, era, status: 200 }
      })
    },
    startedAt(who) {
      const child = children.find(ownerOf(who))
      return child && RESTING.has(child.state) ? undefined : child?.since
    },
    // A shared child holds nothing of one user's.
    forget: ({ tenant, userId }) =>
      children.end((owner) => owner.upstream === upstream && owner.tenant === tenant && owner.userId === userId),
    async close() {
      closed = true
      await children.end((owner) => owner.upstream === upstream)
    },
  }
}

/** States of a child that takes no more work: the next request starts another. */
const RESTING: ReadonlySet<ChildView['state']> = new Set(['draining', 'ending'])

function dressed(request: RpcRequest, era: UpstreamEra): RpcRequest {
  const bytes = era.dress(request)
  if (bytes === request.bytes) return request
  const message = readMessage(bytes)
  return message.kind === 'request' ? message : request
}
