import { chanceOf } from './chance.ts'
import { oddities, type Oddity } from './oddities.ts'
import { makeTitle } from './words.ts'

export type Kind = 'anime' | 'manga'
export type Nsfw = 'white' | 'gray' | 'black'

/** The season names, in the order of the year. */
export const seasonNames = ['winter', 'spring', 'summer', 'fall'] as const
export interface Season {
  readonly year: number
  readonly season: (typeof seasonNames)[number]
}

/** What is needed to find, filter and sort an entry. Everything else is made when somebody asks for it. */
export interface Work {
  readonly kind: Kind
  readonly id: number
  /** The position in the catalogue, or beyond it for the plain entries of long lists. */
  readonly index: number
  readonly title: string
  readonly synonyms: readonly string[]
  readonly en: string
  readonly ja: string
  readonly nsfw: Nsfw
  readonly mediaType: string
  readonly status: string
  /** Episodes or chapters; 0 is unknown. */
  readonly length: number
  readonly mean: number | undefined
  readonly startDate: string | undefined
  readonly endDate: string | undefined
  readonly season: Season | undefined
  readonly members: number
  readonly favorites: number
  readonly oddity: Oddity
}

/** What differs between the two halves of the catalogue. */
export interface Vocabulary {
  readonly kind: Kind
  readonly mediaTypes: readonly [string, ...string[]]
  /** Over, running, not begun; then what only some entries are. */
  readonly statuses: { readonly over: readonly [string, ...string[]]; readonly running: string; readonly ahead: string }
  readonly maxLength: number
}

/** The year the catalogue is of. Fixed, so that the same seed is the same catalogue tomorrow. */
const catalogueYear = 2026

/** Makes the entry at one position, without looking at any other. */
export function makeWork({ seed, words, index, id }: WorkPlace): Work {
  const chance = chanceOf(`${seed}/${words.kind}/${index}`)
  const oddity: Oddity = oddities[index] ?? {}
  const named = makeTitle(chance, index + 1)
  const status = stateOf(words, index)
  const isAhead = status === words.statuses.ahead
  const generated = isAhead ? catalogueYear + 1 : startYear(status === words.statuses.running, chance.int(1_000))
  const year = Number(oddity.startDate?.slice(0, 4) ?? generated)
  const month = 1 + chance.int(12)
  const startDate = 'startDate' in oddity ? oddity.startDate : date(year, month, 1 + chance.int(28))
  const isOver = !isAhead && status !== words.statuses.running

  return {
    kind: words.kind,
    id,
    index,
    title: oddity.title ?? named.title,
    synonyms: chance.maybe(0.5) ? [`${named.en} (${year})`, named.title.toUpperCase()] : [],
    en: oddity.en ?? (chance.maybe(0.3) ? '' : named.en),
    ja: named.ja,
    nsfw: oddity.nsfw ?? (index % 23 === 22 ? 'gray' : 'white'),
    mediaType: words.mediaTypes[index % words.mediaTypes.length] ?? words.mediaTypes[0],
    status,
    length: oddity.length ?? (isAhead ? 0 : 1 + chance.int(words.maxLength)),
    mean: isAhead || oddity.unrated === true ? undefined : 4 + chance.int(520) / 100,
    startDate,
    endDate: isOver && startDate !== undefined ? date(year + 1, month, 1 + chance.int(28)) : undefined,
    season: startDate === undefined ? undefined : { year, season: seasonOf(month) },
    members: 50 + chance.int(900_000),
    favorites: isAhead ? 0 : chance.int(30_000),
    oddity,
  }
}

interface WorkPlace {
  seed: number
  words: Vocabulary
  index: number
  id: number
}

/** Seven in ten are over, two are running, one has not begun; the oddities are kept among what is over. */
function stateOf({ statuses }: Vocabulary, index: number): string {
  if (index < oddities.length) return statuses.over[0]
  const turn = index % 10
  if (turn === 9) return statuses.ahead
  if (turn >= 7) return statuses.running
  return statuses.over[index % statuses.over.length] ?? statuses.over[0]
}

function startYear(isRunning: boolean, thousandth: number): number {
  return isRunning ? catalogueYear - (thousandth % 2) : catalogueYear - 1 - Math.floor((thousandth / 1_000) ** 2 * 48)
}

function seasonOf(month: number): Season['season'] {
  return seasonNames[Math.floor((month - 1) / 3)] ?? 'winter'
}

function date(year: number, month: number, day: number): string {
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}
