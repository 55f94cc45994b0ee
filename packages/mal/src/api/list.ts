import type { MalReader } from './client.ts'
import { LIST_FIELDS } from './fields.ts'
import { readListPage, readNext, type ListEntry } from './shapes.ts'

/** The largest page MyAnimeList gives. */
const PAGE = 1000

export interface WholeList {
  readonly entries: readonly ListEntry[]
  /** Whether the list goes on after the last of `entries`. */
  readonly truncated: boolean
}

export interface WholeListNeeds {
  readonly maxEntries: number
  /** Told after each page but the last how many entries there are so far. */
  progress(entries: number): Promise<void>
}

/**
 * Reads a whole list in one pass of large pages. An entry that moved to another page while we read counts once.
 */
export async function readWholeList(mal: MalReader, { maxEntries, progress }: WholeListNeeds): Promise<WholeList> {
  const entries = new Map<number, ListEntry>()
  let page = await mal.get('/users/@me/animelist', { fields: LIST_FIELDS, limit: PAGE, nsfw: true })
  for (;;) {
    const before = entries.size
    for (const entry of readListPage(page)) entries.set(entry.id, entry)
    const next = readNext(page)
    if (entries.size > maxEntries) return { entries: [...entries.values()].slice(0, maxEntries), truncated: true }
    if (next === undefined) return { entries: [...entries.values()], truncated: false }
    // A page that brings nothing new would lead round in circles.
    if (entries.size === maxEntries || entries.size === before) {
      return { entries: [...entries.values()], truncated: true }
    }
    await progress(entries.size)
    page = await mal.follow(next)
  }
}
