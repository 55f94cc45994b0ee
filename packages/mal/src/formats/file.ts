import { blank, type Kind, type ListEntry, type Noted, type Work } from '../list/entry.ts'

/** A list as a file holds it, read as far as it could be read. */
export interface ListFile {
  readonly kind: Kind
  readonly owner: Owner | undefined
  readonly entries: readonly FileEntry[]
  /** What could not be read, or not as it stands. */
  readonly troubles: readonly Trouble[]
  /** What stands around the entries, for whoever writes the file again. */
  readonly frame?: Frame | undefined
}

export interface Owner {
  readonly id: number | undefined
  readonly name: string | undefined
}

/** One entry of a file. What the file does not speak of is absent from `noted`: it must not change anything. */
export interface FileEntry {
  readonly work: Work
  readonly noted: Partial<Noted>
  /** What MyAnimeList keeps besides and its API does not tell, by the name of its element: `my_storage`, `my_sns`. */
  readonly others?: Readonly<Record<string, string>> | undefined
  /** The entry as it stands in MyAnimeList's XML, with what is in front of it. */
  readonly source?: string | undefined
}

/** The text before the first entry and after the last one. */
export interface Frame {
  readonly head: string
  readonly tail: string
}

export interface Trouble {
  /** `line 12`, `entry 3`. */
  readonly where: string
  readonly what: string
}

/** More are counted and not kept: a hostile file could hold one in every byte. */
const TROUBLES_MOST = 1000

/** Collects what could not be read. */
export function createTroubles() {
  const kept: Trouble[] = []
  let more = 0
  return {
    add(where: string, what: string): void {
      if (kept.length < TROUBLES_MOST) kept.push({ where, what })
      else more += 1
    },
    all(): readonly Trouble[] {
      return more === 0 ? kept : [...kept, { where: 'further on', what: `${more} more of these` }]
    },
  }
}

export type Troubles = ReturnType<typeof createTroubles>

/** How much of a file is read: whoever sends it may be anybody. */
export interface FileLimits {
  /** As it comes, in bytes. */
  readonly fileBytes: number
  /** Unpacked, in bytes. */
  readonly unpackedBytes: number
  readonly entries: number
}

export const fileLimits: FileLimits = { fileBytes: 16 << 20, unpackedBytes: 32 << 20, entries: 50_000 }

/** What somebody knows of a work from its id and title alone. */
export function workOf(kind: Kind, id: number, title: string, known: Partial<Work> = {}): Work {
  return { ...nothing, kind, id, title, ...known }
}

/** An entry of a list, as a file would hold it. */
export function fileEntryOf({ work, noted }: ListEntry): FileEntry {
  return { work, noted }
}

/** An entry of a file, as a list would hold it: what the file does not speak of counts as nothing. */
export function listEntryOf({ work, noted }: FileEntry): ListEntry {
  return { work, noted: { ...blank, ...noted } }
}

const nothing = {
  englishTitle: undefined,
  japaneseTitle: undefined,
  synonyms: [],
  mediaType: undefined,
  state: undefined,
  units: undefined,
  volumes: undefined,
  episodeSeconds: undefined,
  year: undefined,
  season: undefined,
  startDate: undefined,
  endDate: undefined,
  broadcast: undefined,
  mean: undefined,
  rank: undefined,
  popularity: undefined,
  listUsers: undefined,
  scoringUsers: undefined,
  genres: [],
  studios: [],
  authors: [],
  source: undefined,
  rating: undefined,
  nsfw: undefined,
  picture: undefined,
} satisfies Omit<Work, 'kind' | 'id' | 'title'>
