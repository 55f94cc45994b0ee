import { chanceOf } from './chance.ts'
import type { Shelf } from './generate.ts'
import type { Work } from './work.ts'

const rareRelations = [
  'alternative_setting',
  'alternative_version',
  'summary',
  'full_story',
  'spin_off',
  'character',
  'other',
] as const

/** Entries stand in groups of four: a first, its sequel, its side story, and something looser. */
const steps: readonly (readonly (readonly [step: number, relation: string])[])[] = [
  [
    [1, 'sequel'],
    [2, 'side_story'],
  ],
  [[-1, 'prequel']],
  [[-2, 'parent_story']],
  [[-3, 'rare']],
]

/** What an entry belongs to; only the catalogue has relations, the plain entries of long lists have none. */
export function relatedTo(shelf: Shelf, { index, oddity }: Work): { work: Work; relation: string }[] {
  const works = shelf.works()
  if (index >= works.length || oddity.alone === true) return []
  const rare = rareRelations[Math.floor(index / 4) % rareRelations.length] ?? 'other'
  return (steps[index % 4] ?? []).flatMap(([step, relation]) => {
    const work = works[index + step]
    return work ? [{ work, relation: relation === 'rare' ? rare : relation }] : []
  })
}

/** What others recommend to whoever liked this, most often recommended first. */
export function recommendedWith(shelf: Shelf, { kind, index, oddity }: Work): { work: Work; count: number }[] {
  const works = shelf.works()
  if (index >= works.length || oddity.alone === true) return []
  const chance = chanceOf(`recommended/${kind}/${index}`)
  const places = new Set(Array.from({ length: chance.int(8) }, () => chance.int(works.length)))
  places.delete(index)
  return [...places]
    .flatMap((place) => works[place] ?? [])
    .map((work) => ({ work, count: 1 + chance.int(40) }))
    .sort((a, b) => b.count - a.count)
}
