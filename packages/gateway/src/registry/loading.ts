import { hash } from 'node:crypto'
import { LONGEST_TIMER_MS } from '../base/clock.ts'
import type { UpstreamId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Principal } from '../identity/principal.ts'
import type { ClientView } from '../upstreams/client.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'
import type { EraName, Handshake } from '../upstreams/era.ts'
import { readRefusal } from '../upstreams/refusal.ts'
import type { Asking, Caller, Who } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { differenceOf, type Change } from './changes.ts'
import { fetchList } from './fetch-list.ts'
import { kinds, type KindName } from './kinds.ts'
import { isPersonal, type LastKnown, type Memory } from './last-known.ts'
import type { Listing } from './listing.ts'
import { toShelf, type Shelf, type Shelving } from './shelf.ts'
import type { Slot } from './slots.ts'
import type { Turns } from './turns.ts'

/** Who asks, in which era, on which of the endpoints, and with what kind of client. */
export interface Asker {
  readonly principal: Principal
  readonly era: { readonly name: EraName }
  /** The upstream of `/mcp/<server>`; `undefined` on `/mcp`. */
  readonly server: UpstreamId | undefined
  readonly client: ClientView
}

/** An upstream, and on whose account it is asked. */
export interface Inquiry {
  readonly definition: UpstreamDefinition
  readonly asker: Asker
}

/** Which list is meant, who asks for it, and what is known of it. */
export interface Wanted extends Inquiry {
  readonly kind: KindName
  /** What clients of this kind are told apart by. */
  readonly client: string
  readonly slot: Slot
}

/** As `Transport.startedAt` has it, for such a client. */
export interface Started {
  startedAt(id: UpstreamId, who: Who, client: ClientView): number | undefined
}

export interface LoadingNeeds {
  readonly upstreams: Pick<Upstreams, 'call' | 'describe'> & Started
  /** The caller's own credential, where the list depends on it; `token.*` or `connection.*` where it is missing. */
  readonly credentials: {
    require(principal: Principal, upstream: UpstreamId): Secret | undefined | Promise<Secret | undefined>
    /** Another in place of one that was refused; `undefined` where there is no way to one. */
    renew(
      principal: Principal,
      upstream: UpstreamId,
      refused: Secret,
      scopes?: readonly string[],
    ): Promise<Secret | undefined>
  }
  readonly lastKnown: Pick<LastKnown, 'find' | 'save'>
  readonly clock: { now(): number }
  readonly log: Log
  readonly newRequestId: () => string
  readonly settings: {
    /** How long an upstream may take to list what it has before others stop waiting for it. */
    readonly listMs: number
    /** The longest name on the merged endpoint. */
    readonly nameLimit: number
  }
  /** Told when a list is found to be another than when it was last looked at, before a restart of the gate too. */
  onChanged?(change: Change): void
  /** Told when a list has been loaded, or could not be. */
  onLoaded(wanted: Wanted): void
}

/** How long a list is good without asking again, where its upstream says nothing longer. */
export const FRESH_MS = 30_000
const FRESH_MOST_MS = 3_600_000
/** How soon an upstream that failed is asked again. */
const RETRY_MS = 3_000
/** A list of a child is good until the child says otherwise, or another is started. */
const CHILD_FRESH_MS = 3_600_000

export const atOnce: Turns = (work) => work()

type InTurn = (work: () => Promise<Listing>) => Promise<Listing>

/** Brings lists up to date: as they were last known, then from their upstream, and kept for the next start. */
export function createLoading(needs: LoadingNeeds) {
  const { upstreams, clock, log, settings } = needs

  /** What was started since may be another version, or have another token. */
  function isFresh({ definition: { id }, asker: { principal, client }, slot }: Wanted): boolean {
    if (clock.now() - slot.triedAt >= slot.freshMs) return false
    const startedAt = upstreams.startedAt(id, principal, client)
    return startedAt === undefined || startedAt === slot.startedAt
  }

  async function load(wanted: Wanted, turns: Turns): Promise<void> {
    const { definition, asker, slot } = wanted
    const { id } = definition
    const changed = slot.outdated
    slot.outdated = false
    const { promise: hurried, resolve } = Promise.withResolvers<void>()
    slot.hurry = resolve
    try {
      slot.shelf ??= await recall(wanted)
      const rests = upstreams.startedAt(id, await callerOf(wanted), asker.client) === undefined
      // Nothing is started only to be asked what is known already.
      const isKnown = slot.shelf !== undefined && !slot.isBorrowed && !changed && !slot.failure
      const inTurn: InTurn = (work) => (rests ? turns : atOnce)(work, hurried)
      if (!(rests && isKnown)) await ask(wanted, inTurn)
      slot.failure = undefined
    } catch (error) {
      slot.failure = asProblem(error)
      slot.freshMs = RETRY_MS
      noteFailure(wanted, error)
    }
    noteStart(slot, upstreams.startedAt(id, asker.principal, asker.client))
    if (slot.outdated) slot.freshMs = 0
    slot.triedAt = clock.now()
    needs.onLoaded(wanted)
  }

  async function callerOf({ definition: { id }, asker: { principal } }: Inquiry): Promise<Caller> {
    const token = await needs.credentials.require(principal, id)
    return { tenant: principal.tenant, userId: principal.userId, token }
  }

  /** The list as it was last known. That it cannot be had is no reason not to ask for it. */
  async function recall(wanted: Wanted): Promise<Shelf | undefined> {
    const { definition, slot } = wanted
    try {
      const known = await needs.lastKnown.find(memoryOf(wanted))
      if (!known) return undefined
      const shelf = toShelf(known.listing, shelvingOf(wanted))
      slot.isBorrowed = !known.isExact
      slot.keptDigest = known.isExact ? digest(shelf) : undefined
      slot.freshMs = lastingMs(definition)
      return shelf
    } catch (error) {
      log.error({ server: definition.id, error }, 'registry.not_recalled')
      return undefined
    }
  }

  async function ask(wanted: Wanted, inTurn: InTurn): Promise<void> {
    const { definition, slot } = wanted
    slot.askedAt = clock.now()
    const listing = await inTurn(() => renewing(wanted, () => inquire(wanted)))
    slot.askedAt = clock.now()
    const before = slot.shelf
    slot.shelf = toShelf(listing, shelvingOf(wanted))
    slot.isBorrowed = false
    slot.freshMs = Math.min(Math.max(listing.ttlMs ?? 0, lastingMs(definition)), FRESH_MOST_MS)
    await keep(wanted, before, slot.shelf)
  }

  /** A credential that is refused may have another in its place: then the work is done once more, with that. */
  async function renewing<T>(inquiry: Inquiry, work: () => Promise<T>): Promise<T> {
    const { token } = await callerOf(inquiry)
    try {
      return await work()
    } catch (error) {
      const { definition, asker } = inquiry
      const refusal = readRefusal(error)
      if (token === undefined || refusal === undefined) throw error
      const renewed = await needs.credentials.renew(asker.principal, definition.id, token, refusal.scopes)
      if (renewed === undefined) throw error
      return work()
    }
  }

  /** What does not say that it has such lists is not asked for one. */
  async function inquire(wanted: Wanted): Promise<Listing> {
    const { definition, asker, kind } = wanted
    const { id, startTimeoutMs, timeoutMs } = definition
    const { capabilities } = await describe(wanted, Math.min(startTimeoutMs + timeoutMs, LONGEST_TIMER_MS))
    if (!capabilities[kinds[kind].capability]) return NOTHING
    const { newRequestId } = needs
    const callerFor = () => callerOf(wanted)
    return fetchList({ upstreams, newRequestId, id, kind, callerFor, era: asker.era.name, client: clientOf(asker) })
  }

  /**
   * What an upstream says of itself to such an asker.
   *
   * @throws {Problem} `upstream.*`, also where it takes longer than that; `token.*`, `connection.*`
   */
  async function describe(inquiry: Inquiry, milliseconds: number): Promise<Handshake> {
    const { definition, asker } = inquiry
    const controller = new AbortController()
    const asking: Asking = { era: asker.era.name, client: clientOf(asker), signal: controller.signal }
    const handshake = callerOf(inquiry).then((caller) => upstreams.describe(definition.id, asking, caller))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const reason = tooSlow(definition, milliseconds)
        controller.abort(reason)
        reject(reason)
      }, milliseconds)
    })
    return Promise.race([handshake, late]).finally(() => clearTimeout(timer))
  }

  /** Writes the list down where it is not as it was; a server works all the same where that fails. */
  async function keep(wanted: Wanted, before: Shelf | undefined, shelf: Shelf): Promise<void> {
    const { definition, slot } = wanted
    const now = digest(shelf)
    if (now === slot.keptDigest) return
    if (before !== undefined && slot.keptDigest !== undefined) noteChange(wanted, before, shelf)
    try {
      await needs.lastKnown.save(memoryOf(wanted), shelf)
      slot.keptDigest = now
    } catch (error) {
      log.error({ server: definition.id, error }, 'registry.not_kept')
    }
  }

  /** What stands beside the descriptions may change: it is them that were allowed. */
  function noteChange({ definition, asker, kind, slot }: Wanted, before: Shelf, after: Shelf): void {
    const difference = differenceOf(before, after)
    if (difference.added + difference.removed + difference.altered === 0) return
    slot.changedAt = clock.now()
    const { tenant, userId } = asker.principal
    needs.onChanged?.({
      server: definition.id,
      kind,
      tenant,
      userId: isPersonal(definition) ? userId : undefined,
      before: hash('sha256', before.own),
      after: hash('sha256', after.own),
      ...difference,
    })
  }

  /** A missing token is no fault, and asked for anew each time; the user may have set it since. */
  function noteFailure({ definition, kind, slot }: Wanted, error: unknown): void {
    if (!/^(?:token|connection)\./.test(slot.failure?.code ?? ''))
      return log.info({ server: definition.id, kind, error }, 'registry.list_failed')
    slot.shelf = undefined
    slot.freshMs = 0
  }

  function shelvingOf({ definition, kind }: Wanted): Shelving {
    return { upstream: definition.id, kind, nameLimit: settings.nameLimit, log }
  }

  return {
    isFresh,
    describe,
    /** Brings a list up to date, waiting only as long as it is worth: so long where something of it is known. */
    async freshen(wanted: Wanted, knownMs: number, turns: Turns): Promise<void> {
      const { slot } = wanted
      if (isFresh(wanted)) return
      slot.loading ??= load(wanted, turns).finally(() => (slot.loading = undefined))
      // Who waits for this one alone does not wait behind others that somebody lists.
      if (turns === atOnce) slot.hurry()
      await within(slot.shelf ? knownMs : settings.listMs, slot.loading)
    },
  }
}

/** What a server logs while it lists what it has is for nobody. */
function clientOf({ client }: Asker): ClientView {
  return client.logLevel === undefined ? client : { ...client, logLevel: undefined }
}

const NOTHING: Listing = { items: [], rest: '', ttlMs: undefined, isPublic: false }

function memoryOf({ definition, asker: { principal }, kind, client }: Wanted): Memory {
  return { definition, tenant: principal.tenant, userId: principal.userId, kind, client }
}

/** How long a list is good where nothing says otherwise. */
function lastingMs({ kind }: UpstreamDefinition): number {
  return kind === 'stdio' ? CHILD_FRESH_MS : FRESH_MS
}

function digest({ own, rest }: Shelf): string {
  return hash('sha256', Buffer.concat([own, Buffer.from(`\n${rest}`)]), 'base64url')
}

/** Notes what runs now, and that it began anew where something else ran before: that has forgotten what it knew. */
function noteStart(slot: Slot, startedAt: number | undefined): void {
  slot.startedAt = startedAt
  if (startedAt === undefined || startedAt === 0) return
  if (slot.ranSince !== undefined && slot.ranSince !== startedAt) slot.restartedAt = startedAt
  slot.ranSince = startedAt
}

export function tooSlow({ id }: UpstreamDefinition, milliseconds: number): Problem {
  return problem('upstream.start_timeout', { server: id, seconds: milliseconds / 1000, setting: 'timeouts.listMs' })
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)))])
  clearTimeout(timer)
}
