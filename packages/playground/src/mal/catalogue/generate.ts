import { animeWords } from './anime.ts'
import { mangaWords } from './manga.ts'
import { chanceOf } from './chance.ts'
import { makeWork, type Kind, type Vocabulary, type Work } from './work.ts'

/** The ids of plain entries begin here: what a list needs beyond the catalogue, made as it is asked for. */
const plainFrom = 1_000_000
const plainCount = 30_000
/** So many plain entries are kept once made. */
const plainKept = 5_000

/** One half of the catalogue. */
export interface Shelf {
  readonly kind: Kind
  /** What search, rankings and seasons are made of. */
  works(): readonly Work[]
  /** Finds an entry of the catalogue or a plain one. */
  find(id: number): Work | undefined
  /** The id of the nth entry of a long list: the catalogue first, plain entries after it. */
  idAt(position: number): number
  /** The place by mean, from 1; absent for what has none. */
  rank(work: Work): number | undefined
  /** The place by members, from 1. */
  popularity(work: Work): number
}

export interface Catalogue {
  shelf(kind: Kind): Shelf
  /** How many entries were made so far; none before somebody asks. */
  generated(): number
}

/** Every title, the same for the same seed, and nothing made before it is asked for. */
export function createCatalogue(seed: number): Catalogue {
  let made = 0
  const count = () => {
    made += 1
  }
  const shelves = {
    anime: createShelf({ seed, words: animeWords, size: 400, count }),
    manga: createShelf({ seed, words: mangaWords, size: 150, count }),
  }
  return { shelf: (kind) => shelves[kind], generated: () => made }
}

function createShelf({ seed, words, size, count }: ShelfNeeds): Shelf {
  let shown: ReturnType<typeof fill> | undefined
  const plain = new Map<number, Work>()
  const content = () => (shown ??= fill())

  return {
    kind: words.kind,
    works: () => content().works,
    find: (id) => content().byId.get(id) ?? findPlain(id),
    idAt: (position) => content().works[position]?.id ?? plainFrom + position - size,
    rank: (work) => content().ranks.get(work.id),
    popularity: (work) => content().popularity.get(work.id) ?? work.index + 1,
  }

  function fill() {
    const works = Array.from({ length: size }, (_, index) => {
      count()
      return makeWork({ seed, words, index, id: idOf(seed, index) })
    })
    const rated = works.filter(({ mean }) => mean !== undefined).sort((a, b) => (b.mean ?? 0) - (a.mean ?? 0))
    const popular = [...works].sort((a, b) => b.members - a.members)
    return {
      works,
      byId: new Map(works.map((work) => [work.id, work])),
      ranks: places(rated),
      popularity: places(popular),
    }
  }

  function findPlain(id: number): Work | undefined {
    const position = id - plainFrom
    if (!Number.isInteger(position) || position < 0 || position >= plainCount) return undefined
    const known = plain.get(id)
    if (known) return known
    count()
    const work = makeWork({ seed, words, index: size + position, id })
    plain.set(id, work)
    const [oldest] = plain.keys()
    if (plain.size > plainKept && oldest !== undefined) plain.delete(oldest)
    return work
  }
}

interface ShelfNeeds {
  seed: number
  words: Vocabulary
  size: number
  count(): void
}

/** Ids rise with gaps, as ids do that were once deleted. */
function idOf(seed: number, index: number): number {
  return 10 + index * 13 + chanceOf(`${seed}/id/${index}`).int(11)
}

function places(sorted: readonly Work[]): Map<number, number> {
  return new Map(sorted.map(({ id }, index) => [id, index + 1]))
}
