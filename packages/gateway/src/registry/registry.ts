import { LRUCache } from 'lru-cache'
import type { TenantId, UpstreamId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { maySeeUpstream, type Principal } from '../identity/principal.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'
import type { EraName } from '../upstreams/era.ts'
import type { Caller } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { isPersonal, type LastKnown } from './last-known.ts'
import { serverOf } from './names.ts'
import { fetchTools, toShelf, type Shelf, type Tool } from './shelf.ts'

export type { Tool } from './shelf.ts'

/** Who asks, in which era, and on which of the endpoints. */
export interface Asker {
  readonly principal: Principal
  readonly era: { readonly name: EraName }
  /** The upstream of `/mcp/<server>`; `undefined` on `/mcp`. */
  readonly server: UpstreamId | undefined
}

/** How things stand with one upstream for one user. */
export interface Standing {
  readonly definition: UpstreamDefinition
  readonly tools: readonly Tool[]
  readonly fetchedAt: number | undefined
  readonly failure: Problem | undefined
}

export interface Registry {
  /** Everything the asker may see, upstream by upstream, as fresh as can be had without a long wait. */
  list(asker: Asker): Promise<readonly Standing[]>
  /**
   * The tool of that name.
   *
   * @throws {Problem} `tool.unknown` also where it exists but not for this asker; `token.required` or an
   * `upstream.*` where its upstream could not be asked.
   */
  require(asker: Asker, name: string): Tool | Promise<Tool>
  has(upstream: UpstreamId): boolean
  /** Forgets how fresh a list is: the upstream says it has changed, or a user's token did. */
  invalidate(upstream: UpstreamId, tenant?: TenantId, userId?: string): void
}

export interface RegistryNeeds {
  readonly upstreams: Upstreams
  /** The caller's own credential; `token.required` where it is missing. */
  readonly credentials: {
    require(principal: Principal, upstream: UpstreamId): Secret | undefined | Promise<Secret | undefined>
  }
  readonly lastKnown: LastKnown
  readonly clock: { now(): number }
  readonly log: Log
  readonly newRequestId: () => string
  readonly settings: RegistrySettings
}

export interface RegistrySettings {
  /** How long an upstream may take to list its tools before others stop waiting for it. */
  readonly listMs: number
  /** The longest name on the merged endpoint. */
  readonly nameLimit: number
}

/** How long a list is good without asking again, where its upstream says nothing longer. */
const FRESH_MS = 30_000
const FRESH_MOST_MS = 3_600_000
/** How soon an upstream that failed is asked again. */
const RETRY_MS = 3_000
/** How long a list that is known already may keep a client waiting for a fresher one. */
const STALE_WAIT_MS = 1_500
const SHELVES = 20_000

interface Slot {
  shelf: Shelf | undefined
  failure: Problem | undefined
  /** When the last attempt ended, well or not. */
  triedAt: number
  freshMs: number
  /** The list has changed since it was asked for. */
  outdated: boolean
  loading: Promise<void> | undefined
}

/**
 * Knows which tools there are: one shelf per upstream, for all users where the upstream cannot tell them
 * apart and for each user where it can. A list that cannot be had now is answered as it was last known.
 */
export function createRegistry(needs: RegistryNeeds): Registry {
  const { upstreams, clock, settings } = needs
  const slots = new LRUCache<string, Slot>({ max: SHELVES })
  const personal = new Set(upstreams.definitions.filter(isPersonal))

  function slotFor(definition: UpstreamDefinition, { principal, era }: Asker): Slot {
    const owner = personal.has(definition) ? principal.userId : ''
    const key = `${definition.id} ${era.name} ${principal.tenant} ${owner}`
    let slot = slots.get(key)
    if (!slot)
      slots.set(
        key,
        (slot = {
          shelf: undefined,
          failure: undefined,
          triedAt: -Infinity,
          freshMs: 0,
          outdated: false,
          loading: undefined,
        }),
      )
    return slot
  }

  /** Brings a slot up to date, waiting only as long as it is worth. */
  async function freshen(definition: UpstreamDefinition, asker: Asker): Promise<Slot> {
    const slot = slotFor(definition, asker)
    if (clock.now() - slot.triedAt < slot.freshMs) return slot
    slot.loading ??= load(definition, asker, slot).finally(() => (slot.loading = undefined))
    await within(slot.shelf ? STALE_WAIT_MS : settings.listMs, slot.loading)
    return slot
  }

  async function load(definition: UpstreamDefinition, asker: Asker, slot: Slot): Promise<void> {
    const { principal, era } = asker
    const memory = { definition, tenant: principal.tenant, userId: principal.userId }
    slot.outdated = false
    try {
      slot.shelf ??= shelve(definition, await needs.lastKnown.find(memory))
      const token = await needs.credentials.require(principal, definition.id)
      const caller: Caller = { tenant: principal.tenant, userId: principal.userId, token }
      const fetched = await fetchTools({ ...needs, caller, era: era.name, id: definition.id })
      slot.shelf = toShelf(definition.id, fetched.tools, settings.nameLimit, needs.log)
      slot.failure = undefined
      slot.freshMs = Math.min(Math.max(fetched.ttlMs, FRESH_MS), FRESH_MOST_MS)
      const known = slot.shelf.tools.map(({ json }) => json)
      await needs.lastKnown.save(memory, known)
    } catch (error) {
      slot.failure = asProblem(error)
      slot.freshMs = RETRY_MS
      noteFailure(definition, slot, error)
    }
    if (slot.outdated) slot.freshMs = 0
    slot.triedAt = clock.now()
  }

  /** A missing token is no fault, and asked for anew each time; the user may have set it since. */
  function noteFailure({ id: server }: UpstreamDefinition, slot: Slot, error: unknown): void {
    if (slot.failure?.code !== 'token.required') return needs.log.info({ server, error }, 'registry.list_failed')
    slot.shelf = undefined
    slot.freshMs = 0
  }

  function shelve(definition: UpstreamDefinition, known: readonly Buffer[] | undefined): Shelf | undefined {
    return known && toShelf(definition.id, known, settings.nameLimit, needs.log)
  }

  function visible({ principal, server }: Asker): readonly UpstreamDefinition[] {
    return upstreams.definitions.filter(
      ({ id }) => (server === undefined || server === id) && maySeeUpstream(principal, id),
    )
  }

  function findIn({ shelf }: Slot, { server }: Asker, name: string): Tool | undefined {
    return server === undefined ? shelf?.byExposed.get(name) : shelf?.byName.get(name)
  }

  async function seek(definition: UpstreamDefinition, asker: Asker, name: string): Promise<Tool> {
    const slot = await freshen(definition, asker)
    const tool = findIn(slot, asker, name)
    if (tool) return tool
    throw slot.failure ?? problem('tool.unknown', { tool: shown(name) })
  }

  return {
    list: (asker) =>
      Promise.all(
        visible(asker).map(async (definition) => {
          const { shelf, failure, triedAt, loading } = await freshen(definition, asker)
          return {
            definition,
            tools: shelf?.tools ?? [],
            fetchedAt: shelf && triedAt,
            failure: failure ?? (shelf || !loading ? undefined : slow(definition)),
          }
        }),
      ),
    require(asker, name) {
      const server = asker.server ?? serverOf(name)
      const definition = server === undefined ? undefined : upstreams.find(server)
      if (!definition || !maySeeUpstream(asker.principal, definition.id))
        throw problem('tool.unknown', { tool: shown(name) })
      return findIn(slotFor(definition, asker), asker, name) ?? seek(definition, asker, name)
    },
    has: (upstream) => upstreams.find(upstream) !== undefined,
    invalidate(upstream, tenant, userId) {
      for (const [key, slot] of slots.entries()) {
        const [id, , ofTenant, ofUser] = key.split(' ')
        const meant = id === upstream && (tenant === undefined || tenant === ofTenant)
        if (!meant || (userId !== undefined && ofUser !== '' && ofUser !== userId)) continue
        slot.freshMs = 0
        slot.outdated = true
      }
    },
  }
}

function slow({ id, startTimeoutMs }: UpstreamDefinition): Problem {
  return problem('upstream.start_timeout', { server: id, seconds: startTimeoutMs / 1000 })
}

/** A name goes back into an error no longer than a name may be. */
function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)))])
  clearTimeout(timer)
}
