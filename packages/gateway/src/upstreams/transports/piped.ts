import { readMessage, type RpcRequest } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import type { UpstreamId } from '../../base/ids.ts'
import { readInbound } from '../answers.ts'
import type { Channel } from '../children/child.ts'
import type { Place } from '../children/owner.ts'
import type { Placement, Seats } from '../children/seats.ts'
import type { ChildLimits } from '../children/settings.ts'
import type { ClientView } from '../client.ts'
import type { UpstreamEra } from '../era.ts'
import type { Answer, Caller, Exchange, Transport, Watcher, Who } from '../transport.ts'

export interface PipedNeeds<Launch> {
  readonly seats: Pick<Seats<Launch>, 'use' | 'watch' | 'findReady' | 'forget' | 'end'>
  readonly upstream: UpstreamId
  /** Whether all users of a tenant share one child. */
  readonly shared: boolean
  /** Where this upstream has limits of its own. */
  readonly limits?: Partial<ChildLimits>
  /**
   * Fills in the configuration for one caller, on a copy; the same for everybody where the child is shared.
   *
   * @throws {Error} where the caller lacks something, such as a token.
   */
  launchFor(caller: Caller): Launch
}

/** What a transport promises, but for when its servers were started. */
export type Piped = Omit<Transport, 'startedAt'> & { placeOf(who: Who, client: ClientView): Place }

/** Reaches a server through a pipe that many calls go through: one for each user and kind of client, unless it is shared. */
export function createPiped<Launch>(needs: PipedNeeds<Launch>): Piped {
  const { seats, upstream, shared, limits = {}, launchFor } = needs
  let closed = false

  function placeOf({ tenant, userId }: Who, { capabilities }: ClientView): Place {
    if (shared) return { tenant, userId: undefined, upstream, capabilities: '{}' }
    return { tenant, userId, upstream, capabilities }
  }

  function placementOf(caller: Caller, client: ClientView): Placement<Launch> {
    if (closed) throw problem('gate.stopping')
    return { place: placeOf(caller, client), launch: launchFor(caller), limits }
  }

  /** A caller who lacks something can listen all the same to what others of their clients have started. */
  function tryPlacement(caller: Caller, client: ClientView): Placement<Launch> | undefined {
    try {
      return placementOf(caller, client)
    } catch {
      return undefined
    }
  }

  return {
    placeOf,
    send: async (exchange, caller) =>
      seats.use(placementOf(caller, exchange.client), exchange.signal, (channel) => sendThrough(channel, exchange)),
    describe: async ({ client, signal }, caller) =>
      seats.use(placementOf(caller, client), signal, ({ handshake }) => Promise.resolve(handshake)),
    watch(watcher, caller) {
      const { client } = watcher
      const renew = async () => placementOf(await renewed(watcher, upstream), client)
      return seats.watch(placeOf(caller, client), watcher, { placement: tryPlacement(caller, client), renew })
    },
    tell(message, client, caller) {
      const channel = shared ? undefined : seats.findReady(placeOf(caller, client))
      if (channel?.handshake.era === 'legacy' && mayBeTold(message, upstream)) channel.notify(message)
    },
    // A shared child holds nothing of one user's.
    forget: ({ tenant, userId }) =>
      seats.forget((owner) => owner.upstream === upstream && owner.tenant === tenant && owner.userId === userId),
    // Sessions of one user share what runs.
    forgetSession: async () => {},
    async close() {
      closed = true
      await seats.end((owner) => owner.upstream === upstream)
    },
  }
}

async function renewed(watcher: Watcher, server: UpstreamId): Promise<Caller> {
  if (!watcher.renew) throw problem('upstream.unreachable', { server, cause: new Error('its credential is gone') })
  return watcher.renew()
}

async function sendThrough({ era, handshake, send }: Channel, exchange: Exchange): Promise<Answer> {
  const bytes = await send(dressed(exchange, era))
  return { kind: 'whole', bytes, era: handshake.era, status: 200 }
}

function dressed(exchange: Exchange, era: UpstreamEra): Exchange {
  const { request, client } = exchange
  const bytes = era.dress(request, client)
  return bytes === request.bytes ? exchange : { ...exchange, request: asRequest(bytes, request) }
}

function asRequest(bytes: Buffer, request: RpcRequest): RpcRequest {
  const message = readMessage(bytes)
  return message.kind === 'request' ? message : request
}

/** Ids and tokens are the gate's own in a pipe: those of a client could hit somebody else's call. */
const BY_ID: ReadonlySet<string> = new Set(['notifications/cancelled', 'notifications/progress'])

function mayBeTold(message: Buffer, server: string): boolean {
  const inbound = readInbound(message, server)
  return inbound.kind === 'notification' && !BY_ID.has(inbound.method)
}
