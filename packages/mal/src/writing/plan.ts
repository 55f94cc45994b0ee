import type { Kind, ListEntry, Noted, WholeList, Work } from '../list/entry.ts'
import { statuses } from '../list/entry.ts'
import type { Change } from '../session.ts'
import { changed, cleanTags, isSame } from './fields.ts'
import type { Item } from './item.ts'

/** What is wanted of one entry, before anybody has looked at the list. */
export interface Wanted {
  readonly kind: Kind
  readonly id: number
  /** For an entry that is not on the list, where it is known. */
  readonly title?: string | undefined
  /** `change` wants it on the list already, `add` wants it not there. */
  readonly how: 'change' | 'add' | 'either'
  /** What to change; `undefined` removes the entry. */
  become(noted: Noted | undefined, work: Work | undefined): Change | undefined
}

/** Something that was wanted and is not in the plan, and why. */
export interface Refused {
  readonly kind: Kind
  readonly id: number
  readonly title: string
  readonly why: string
}

export interface Draft {
  readonly items: readonly Item[]
  /** How many are already as wanted. */
  readonly unchanged: number
  readonly refused: readonly Refused[]
  /** What a person would probably do with it; nothing of it is done by itself. */
  readonly hints: readonly string[]
}

/** The lists that a plan is made from, as they are now. */
export type Lists = Readonly<Partial<Record<Kind, WholeList>>>

/** Larger ones are refused: they are better made in pieces that can be looked at. */
export const ITEMS_MOST = 5_000

/** Makes a plan out of what is wanted and the lists as they are. It asks nobody: one look at a list is enough. */
export function planItems(lists: Lists, wanted: readonly Wanted[]): Draft {
  const items: Item[] = []
  const refused: Refused[] = []
  const hints: string[] = []
  let unchanged = 0
  const known = new Map(Object.values(lists).flatMap((list) => list.entries.map((entry) => [keyOf(entry.work), entry])))
  const seen = new Set<string>()

  for (const each of wanted) {
    const found = known.get(keyOf(each))
    const title = found?.work.title ?? each.title ?? `${each.kind} ${each.id}`
    const refuse = (why: string) => void refused.push({ kind: each.kind, id: each.id, title, why })
    if (seen.has(keyOf(each))) {
      refuse('it is named twice; the first counts')
      continue
    }
    seen.add(keyOf(each))
    const absent = found ? undefined : whyAbsent(each, lists[each.kind])
    if (absent !== undefined) {
      refuse(absent)
      continue
    }
    if (found && each.how === 'add') {
      refuse(`it is on the list already, as ${found.noted.status}`)
      continue
    }
    const change = tidy(each.kind, found?.noted, each.become(found?.noted, found?.work))
    const wrong = change && whyNot(each.kind, change, found)
    if (wrong !== undefined) refuse(wrong)
    else if (change ? isAsWanted(found?.noted, change) : !found) unchanged += 1
    else {
      items.push(itemOf(each, title, found?.noted, change))
      hints.push(...hintsOf(title, found, change))
    }
  }
  return { items, unchanged, refused, hints }
}

/** An item that was not begun. */
export function itemOf(
  { kind, id }: { readonly kind: Kind; readonly id: number },
  title: string,
  before: Noted | undefined,
  change: Change | undefined,
): Item {
  return { kind, id, title, before, change, state: 'waiting', after: undefined, why: undefined }
}

export function keyOf({ kind, id }: { readonly kind: Kind; readonly id: number }): string {
  return `${kind} ${id}`
}

/** Lists do not tell comments: only whoever has read the entry knows that they are as wanted. */
function isAsWanted(noted: Noted | undefined, change: Change): boolean {
  const isUnseen = change.comments !== undefined && noted !== undefined && noted.comments === undefined
  return !isUnseen && isSame(noted, changed(noted, change))
}

function whyAbsent({ how, kind }: Wanted, list: WholeList | undefined): string | undefined {
  if (list?.truncated) return `it is not among the first ${list.entries.length} entries, and more were not read`
  return how === 'change' ? `it is not on the ${kind} list` : undefined
}

/** The change in the form it will come back in. A new entry has a status, which is said and not left to chance. */
function tidy(kind: Kind, before: Noted | undefined, change: Change | undefined): Change | undefined {
  if (!change) return undefined
  const [begun, , , , later] = statuses[kind]
  const status = change.status ?? (before ? undefined : (change.progress ?? 0) > 0 ? begun : later)
  return { ...(status !== undefined && { status }), ...change, ...(change.tags && { tags: cleanTags(change.tags) }) }
}

/** What MyAnimeList would refuse, or take and then show as nonsense. */
function whyNot(kind: Kind, change: Change, found: ListEntry | undefined): string | undefined {
  const { status, progress, volumes } = change
  const known: readonly string[] = statuses[kind]
  const { units, volumes: most } = found?.work ?? {}
  if (status !== undefined && !known.includes(status)) {
    return `"${status}" is no status of ${kind}: it is one of ${known.join(', ')}`
  }
  if (volumes !== undefined && kind === 'anime') return 'an anime has no volumes'
  if (progress !== undefined && units !== undefined && progress > units) {
    return `progress ${progress} is more than the ${units} there are`
  }
  if (volumes !== undefined && most !== undefined && volumes > most) {
    return `volumes ${volumes} are more than the ${most} there are`
  }
  return undefined
}

/** Steps that usually go together are named, and left to whoever decides. */
function hintsOf(title: string, found: ListEntry | undefined, change: Change | undefined): string[] {
  if (!change || !found) return []
  const after = changed(found.noted, change)
  const { units } = found.work
  const isAtEnd = units !== undefined && after.progress === units
  if (change.progress !== undefined && isAtEnd && after.status !== 'completed' && !after.isRepeating) {
    return [`${title}: that was the last of ${units}; status completed and a finish date would go with it`]
  }
  if (change.status === 'completed' && units !== undefined && after.progress < units) {
    return [
      `${title}: completed, but progress stays at ${after.progress} of ${units}; set progress to ${units} as well`,
    ]
  }
  if (change.status === 'completed' && after.finishDate === undefined) {
    return [`${title}: completed without a finish date`]
  }
  return []
}
