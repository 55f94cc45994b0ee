import { hash } from 'node:crypto'
import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
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
import { createSlots, type Slot, type SlotKey } from './slots.ts'
import { createTurns, type Turns } from './turns.ts'

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
  /** When the list was last fetched or tried; `undefined` where it is only known from before a restart. */
  readonly fetchedAt: number | undefined
  readonly failure: Problem | undefined
  /** Nothing runs that could be asked: the next call starts it. */
  readonly idle: boolean
}

export interface Registry {
  /** Everything the asker may see, upstream by upstream, as fresh as can be had without a long wait. */
  list(asker: Asker): Promise<readonly Standing[]>
  /**
   * The tool of that name.
   *
   * @throws {Problem} `tool.unknown` also where it exists but not for this asker; `token.*`, `connection.*` or an
   * `upstream.*` where its upstream could not be asked.
   */
  require(asker: Asker, name: string): Tool | Promise<Tool>
  has(upstream: UpstreamId): boolean
  /** Forgets how fresh a list is: the upstream says it has changed, or a user's token did. */
  invalidate(upstream: UpstreamId, tenant?: TenantId, userId?: UserId): void
}

export interface RegistryNeeds {
  readonly upstreams: Upstreams
  /** The caller's own credential, where the list depends on it; `token.*` or `connection.*` where it is missing. */
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
/** A list of a child is good until the child says otherwise, or another is started. */
const CHILD_FRESH_MS = 3_600_000
/** How many servers one list starts at once: each takes a while of the machine's, and room from those that run. */
const STARTS_MOST = 4

/**
 * Knows which tools there are: one shelf per upstream, for all users where the upstream cannot tell them
 * apart and for each user where it can. A list that cannot be had now is answered as it was last known.
 */
export function createRegistry(needs: RegistryNeeds): Registry {
  const { upstreams, clock, log, settings } = needs
  const slots = createSlots()
  const personal = new Set(upstreams.definitions.filter(isPersonal))

  function keyFor(definition: UpstreamDefinition, { principal, era }: Asker): SlotKey {
    const userId = personal.has(definition) ? principal.userId : ''
    return { upstream: definition.id, era: era.name, tenant: principal.tenant, userId }
  }

  function slotFor(definition: UpstreamDefinition, asker: Asker): Slot {
    return slots.get(keyFor(definition, asker))
  }

  /** Brings a slot up to date, waiting only as long as it is worth. */
  async function freshen(wanted: Wanted, knownMs: number, turns: Turns): Promise<Slot> {
    const slot = slotFor(wanted.definition, wanted.asker)
    if (isFresh(wanted, slot)) return slot
    slot.loading ??= load(wanted, slot, turns).finally(() => (slot.loading = undefined))
    await within(slot.shelf ? knownMs : settings.listMs, slot.loading)
    return slot
  }

  /** What was started since may be another version, or have another token. */
  function isFresh({ definition: { id }, asker: { principal } }: Wanted, slot: Slot): boolean {
    if (clock.now() - slot.triedAt >= slot.freshMs) return false
    const startedAt = upstreams.startedAt(id, principal)
    return startedAt === undefined || startedAt === slot.startedAt
  }

  async function load(wanted: Wanted, slot: Slot, turns: Turns): Promise<void> {
    const { definition, asker } = wanted
    const { id } = definition
    const changed = slot.outdated
    slot.outdated = false
    try {
      slot.shelf ??= await recall(wanted, slot)
      const caller = await callerOf(wanted)
      const rests = upstreams.startedAt(id, caller) === undefined
      // Nothing is started only to be asked what is known already.
      if (!(rests && slot.shelf && !changed && !slot.failure)) await ask(wanted, slot, rests ? turns : atOnce)
      slot.failure = undefined
      slot.startedAt = upstreams.startedAt(id, asker.principal)
    } catch (error) {
      slot.failure = asProblem(error)
      slot.freshMs = RETRY_MS
      slot.startedAt = upstreams.startedAt(id, asker.principal)
      noteFailure(definition, slot, error)
    }
    if (slot.outdated) slot.freshMs = 0
    slot.triedAt = clock.now()
    slots.weigh(keyFor(definition, asker), slot)
  }

  async function callerOf({ definition: { id }, asker: { principal } }: Wanted): Promise<Caller> {
    const token = await needs.credentials.require(principal, id)
    return { tenant: principal.tenant, userId: principal.userId, token }
  }

  /** The list as it was last known. That it cannot be had is no reason not to ask for it. */
  async function recall(wanted: Wanted, slot: Slot): Promise<Shelf | undefined> {
    const { id } = wanted.definition
    try {
      const known = await needs.lastKnown.find(memoryOf(wanted))
      if (!known) return undefined
      slot.keptDigest = digest(known)
      slot.freshMs = lastingMs(wanted.definition)
      return toShelf(id, known, settings.nameLimit, log)
    } catch (error) {
      log.error({ server: id, error }, 'registry.not_recalled')
      return undefined
    }
  }

  async function ask(wanted: Wanted, slot: Slot, turns: Turns): Promise<void> {
    const { definition, asker } = wanted
    slot.askedAt = clock.now()
    const callerFor = () => callerOf(wanted)
    const fetching = { upstreams, newRequestId: needs.newRequestId, callerFor, era: asker.era.name, id: definition.id }
    const { tools, ttlMs } = await turns(() => fetchTools(fetching))
    slot.askedAt = clock.now()
    slot.shelf = toShelf(definition.id, tools, settings.nameLimit, log)
    slot.freshMs = Math.min(Math.max(ttlMs, lastingMs(definition)), FRESH_MOST_MS)
    await keep(wanted, slot, slot.shelf)
  }

  /** Writes the list down where it is not as it was; a server works all the same where that fails. */
  async function keep(wanted: Wanted, slot: Slot, { tools }: Shelf): Promise<void> {
    const known = tools.map(({ json }) => json)
    const now = digest(known)
    if (now === slot.keptDigest) return
    try {
      await needs.lastKnown.save(memoryOf(wanted), known)
      slot.keptDigest = now
    } catch (error) {
      log.error({ server: wanted.definition.id, error }, 'registry.not_kept')
    }
  }

  /** A missing token is no fault, and asked for anew each time; the user may have set it since. */
  function noteFailure({ id: server }: UpstreamDefinition, slot: Slot, error: unknown): void {
    if (!/^(?:token|connection)\./.test(slot.failure?.code ?? ''))
      return log.info({ server, error }, 'registry.list_failed')
    slot.shelf = undefined
    slot.freshMs = 0
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
    const slot = await freshen({ definition, asker }, settings.listMs, atOnce)
    const tool = findIn(slot, asker, name)
    if (tool) return tool
    throw slot.failure ?? (slot.loading ? slow(definition, settings) : problem('tool.unknown', { tool: shown(name) }))
  }

  function standingOf(definition: UpstreamDefinition, { principal }: Asker, slot: Slot): Standing {
    const { shelf, failure, askedAt, loading } = slot
    return {
      definition,
      tools: shelf?.tools ?? [],
      fetchedAt: shelf && askedAt,
      failure: failure ?? (shelf || !loading ? undefined : slow(definition, settings)),
      idle: upstreams.startedAt(definition.id, principal) === undefined,
    }
  }

  return {
    list(asker) {
      const turns = createTurns(STARTS_MOST)
      const standings = visible(asker).map(async (definition) =>
        standingOf(definition, asker, await freshen({ definition, asker }, STALE_WAIT_MS, turns)),
      )
      return Promise.all(standings)
    },
    require(asker, name) {
      const server = asker.server ?? serverOf(name)
      const definition = server === undefined ? undefined : upstreams.find(server)
      if (!definition || !maySeeUpstream(asker.principal, definition.id))
        throw problem('tool.unknown', { tool: shown(name) })
      return findIn(slotFor(definition, asker), asker, name) ?? seek(definition, asker, name)
    },
    has: (upstream) => upstreams.find(upstream) !== undefined,
    invalidate: (upstream, tenant, userId) => slots.outdate(upstream, tenant, userId),
  }
}

/** Which list is meant, and who asks for it. */
interface Wanted {
  readonly definition: UpstreamDefinition
  readonly asker: Asker
}

const atOnce: Turns = (work) => work()

function memoryOf({ definition, asker: { principal } }: Wanted) {
  return { definition, tenant: principal.tenant, userId: principal.userId }
}

/** How long a list is good where nothing says otherwise. */
function lastingMs({ kind }: UpstreamDefinition): number {
  return kind === 'stdio' ? CHILD_FRESH_MS : FRESH_MS
}

function digest(tools: readonly Buffer[]): string {
  return hash('sha256', Buffer.concat(tools), 'base64url')
}

function slow({ id }: UpstreamDefinition, { listMs }: RegistrySettings): Problem {
  return problem('upstream.start_timeout', { server: id, seconds: listMs / 1000 })
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
