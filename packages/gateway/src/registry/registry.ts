import type { UpstreamId } from '../base/ids.ts'
import { problem, type Problem } from '../base/problem.ts'
import { maySeeUpstream } from '../identity/principal.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'
import type { Handshake } from '../upstreams/era.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { createClientKeys } from './client-keys.ts'
import type { KindName } from './kinds.ts'
import { isPersonal } from './last-known.ts'
import { atOnce, createLoading, FRESH_MS, tooSlow, type Asker, type LoadingNeeds, type Wanted } from './loading.ts'
import { serverOf } from './names.ts'
import type { Item, Shelf } from './shelf.ts'
import { createSlots, type Meant, type ShelvesKey, type Slot } from './slots.ts'
import { createTurns } from './turns.ts'

export type { Asker } from './loading.ts'
export type { Item } from './shelf.ts'

/** How things stand with one upstream for one user. */
export interface Standing {
  readonly definition: UpstreamDefinition
  readonly items: readonly Item[]
  /** All there is as it lies in memory; `undefined` where nothing is known. */
  readonly shelf: Shelf | undefined
  /** How long the list may be kept from now on, in milliseconds. */
  readonly ttlMs: number
  /** Whether it may be shown to anybody. */
  readonly isPublic: boolean
  /** When the list was last fetched or tried; `undefined` where it is only known from before a restart. */
  readonly fetchedAt: number | undefined
  readonly failure: Problem | undefined
  /** Nothing runs that could be asked: the next call starts it. */
  readonly idle: boolean
  /** When that which runs was started, where something else had run for this user before. */
  readonly restartedAt: number | undefined
  /** When the list was last found to be another than it had been, since the gate started. */
  readonly changedAt: number | undefined
}

/** How many there are of each kind, as far as it is known. */
export type Counts = Readonly<Partial<Record<KindName, number>>>

export interface Registry {
  /** Everything of a kind the asker may see, upstream by upstream, as fresh as can be had without a long wait. */
  list(asker: Asker, kind: KindName): Promise<readonly Standing[]>
  /**
   * The tool or prompt of that name.
   *
   * @throws {Problem} `tool.unknown` or `prompt.unknown` also where it exists but not for this asker; `token.*`,
   * `connection.*` or an `upstream.*` where its upstream could not be asked.
   */
  require(asker: Asker, kind: 'tools' | 'prompts', name: string): Item | Promise<Item>
  /** What the one upstream of the asker's endpoint says of itself; `undefined` where that cannot be had soon. */
  about(asker: Asker): Promise<Handshake | undefined>
  /** What is known of an upstream without asking it. */
  count(asker: Asker, upstream: UpstreamId): Counts
  has(upstream: UpstreamId): boolean
  /** The server of that name, whichever letters of it are capitals. */
  named(name: string): UpstreamId | undefined
  /** Forgets how fresh lists are: the upstream says they have changed, or a user's token did. */
  invalidate(upstream: UpstreamId, meant?: Meant): void
}

export interface RegistryNeeds extends Omit<LoadingNeeds, 'upstreams' | 'onLoaded'> {
  readonly upstreams: Pick<Upstreams, 'definitions' | 'find'> & LoadingNeeds['upstreams']
}

/** How long a list that is known already may keep a client waiting for a fresher one. */
const STALE_WAIT_MS = 1_500
/** How many servers one list starts at once: each takes a while of the machine's, and room from those that run. */
const STARTS_MOST = 4

/**
 * Knows what there is: one shelf per upstream and kind, for all users where the upstream cannot tell them apart and
 * for each user where it can. A list that cannot be had now is answered as it was last known.
 */
export function createRegistry(needs: RegistryNeeds): Registry {
  const { upstreams, clock, log, settings } = needs
  const slots = createSlots()
  const clientKeyOf = createClientKeys()
  const byName = new Map(upstreams.definitions.map(({ id }) => [id.toLowerCase(), id]))
  const personal = new Set(upstreams.definitions.filter(isPersonal))
  const loading = createLoading({
    ...needs,
    onLoaded: ({ definition, asker, kind, slot }) => slots.weigh(keyFor(definition, asker), kind, slot),
  })

  function keyFor(definition: UpstreamDefinition, { principal, era, client }: Asker): ShelvesKey {
    const userId = personal.has(definition) ? principal.userId : ''
    const { tenant } = principal
    return { upstream: definition.id, era: era.name, tenant, userId, client: clientKeyOf(client, definition) }
  }

  function wantedOf(definition: UpstreamDefinition, kind: KindName, asker: Asker): Wanted {
    const key = keyFor(definition, asker)
    return { definition, asker, kind, client: key.client, slot: slots.get(key, kind) }
  }

  function visible({ principal, server }: Asker): readonly UpstreamDefinition[] {
    return upstreams.definitions.filter(
      ({ id }) => (server === undefined || server === id) && maySeeUpstream(principal, id),
    )
  }

  /** The upstream, where there is one and the asker may see it. */
  function findVisible(id: UpstreamId | undefined, { principal }: Asker): UpstreamDefinition | undefined {
    const definition = id === undefined ? undefined : upstreams.find(id)
    return definition && maySeeUpstream(principal, definition.id) ? definition : undefined
  }

  async function seek(definition: UpstreamDefinition, kind: NamedKind, asker: Asker, name: string): Promise<Item> {
    const wanted = wantedOf(definition, kind, asker)
    await loading.freshen(wanted, settings.listMs, atOnce)
    const item = findIn(wanted.slot, asker, name)
    if (item) return item
    const { failure, loading: goesOn } = wanted.slot
    throw failure ?? (goesOn ? tooSlow(definition, settings.listMs) : unknown(kind, name))
  }

  function standingOf({ definition, asker: { principal, client }, slot }: Wanted): Standing {
    const { shelf, failure, askedAt, loading: goesOn, restartedAt, changedAt } = slot
    return {
      definition,
      items: shelf?.items ?? [],
      shelf,
      ttlMs: ttlOf(slot, clock.now()),
      isPublic: shelf !== undefined && shelf.isPublic && !personal.has(definition),
      fetchedAt: shelf && askedAt,
      failure: failure ?? (shelf || !goesOn ? undefined : tooSlow(definition, settings.listMs)),
      idle: upstreams.startedAt(definition.id, principal, client) === undefined,
      restartedAt,
      changedAt,
    }
  }

  return {
    async list(asker, kind) {
      const all = visible(asker).map((definition) => wantedOf(definition, kind, asker))
      const stale = all.filter((wanted) => !loading.isFresh(wanted))
      if (stale.length > 0) {
        const turns = createTurns(STARTS_MOST)
        await Promise.all(stale.map((wanted) => loading.freshen(wanted, STALE_WAIT_MS, turns)))
      }
      return all.map(standingOf)
    },
    require(asker, kind, name) {
      const definition = findVisible(asker.server ?? serverOf(name), asker)
      if (!definition) throw unknown(kind, name)
      return findIn(slots.get(keyFor(definition, asker), kind), asker, name) ?? seek(definition, kind, asker, name)
    },
    async about(asker) {
      const definition = findVisible(asker.server, asker)
      if (!definition) return undefined
      try {
        return await loading.describe({ definition, asker }, settings.listMs)
      } catch (error) {
        log.info({ server: definition.id, error }, 'registry.not_described')
        return undefined
      }
    },
    count(asker, upstream) {
      const definition = findVisible(upstream, asker)
      if (!definition) return {}
      const key = keyFor(definition, asker)
      const found = ALL_KINDS.map((kind) => [kind, slots.find(key, kind)?.shelf] as const)
      return Object.fromEntries(found.flatMap(([kind, shelf]) => (shelf ? [[kind, shelf.items.length]] : [])))
    },
    named: (name) => byName.get(name.toLowerCase()),
    has: (upstream) => upstreams.find(upstream) !== undefined,
    invalidate: (upstream, meant) => slots.outdate(upstream, meant),
  }
}

/** What is called by a name. */
type NamedKind = 'tools' | 'prompts'

const ALL_KINDS: readonly KindName[] = ['tools', 'prompts', 'resources', 'templates']

function findIn({ shelf }: Slot, { server }: Asker, name: string): Item | undefined {
  return server === undefined ? shelf?.byExposed.get(name) : shelf?.byName.get(name)
}

/** No longer than the upstream said, less the time since, and no longer than it will be asked again. */
function ttlOf({ shelf, failure, askedAt = 0, triedAt, freshMs }: Slot, now: number): number {
  if (!shelf || failure) return 0
  const promised = shelf.ttlMs === undefined ? FRESH_MS : shelf.ttlMs - (now - askedAt)
  return Math.max(0, Math.min(promised, freshMs - (now - triedAt)))
}

function unknown(kind: NamedKind, name: string): Problem {
  return kind === 'tools'
    ? problem('tool.unknown', { tool: shown(name) })
    : problem('prompt.unknown', { prompt: shown(name) })
}

/** A name goes back into an error no longer than a name may be. */
function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
}
