import type { ListEntry } from '../list/entry.ts'
import { foldName } from '../query/fold.ts'
import { distance } from '#kit/nearest'
import { share, type Share } from './shares.ts'

export interface TagOverview {
  /** The most frequent first. */
  readonly tags: readonly Share[]
  readonly tagged: number
  readonly untagged: number
  readonly merges: readonly TagMerge[]
}

/** Two tags that may be meant as one; which one, the user decides. */
export interface TagMerge {
  readonly from: string
  /** The more frequent of the two. */
  readonly to: string
  readonly entries: number
  readonly why: 'same letters' | 'plural' | 'one letter apart'
}

/** So many tags, the most frequent ones, are compared with each other. */
const COMPARED = 300

/** The tags of a list, and which of them look like two spellings of one. */
export function overviewTags(entries: readonly ListEntry[]): TagOverview {
  const tags = share(entries, ({ noted }) => noted.tags)
  const tagged = entries.filter(({ noted }) => noted.tags.length > 0).length
  return { tags, tagged, untagged: entries.length - tagged, merges: findMerges(tags.slice(0, COMPARED)) }
}

/** Each tag is merged at most once, into the most frequent one that it resembles. */
function findMerges(tags: readonly Share[]): TagMerge[] {
  return tags.flatMap((tag, index): TagMerge[] => {
    for (const other of tags.slice(0, index)) {
      const why = resemblance(tag.name, other.name)
      if (why !== undefined) return [{ from: tag.name, to: other.name, entries: tag.count, why }]
    }
    return []
  })
}

function resemblance(one: string, other: string): TagMerge['why'] | undefined {
  const [a, b] = [foldName(one), foldName(other)]
  if (a.replaceAll(' ', '') === b.replaceAll(' ', '')) return 'same letters'
  if (`${a}s` === b || `${b}s` === a) return 'plural'
  // A digit apart is another thing: 2019 and 2020, part 1 and part 2.
  const isLong = Math.min(a.length, b.length) >= 5
  return isLong && lettersOnly(a) && lettersOnly(b) && distance(a, b) === 1 ? 'one letter apart' : undefined
}

function lettersOnly(text: string): boolean {
  return !/\d/.test(text)
}
