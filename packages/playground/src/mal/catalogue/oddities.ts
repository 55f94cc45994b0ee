import type { Nsfw } from './work.ts'

/** What may be unusual about an entry, and must not surprise a client. */
export interface Oddity {
  readonly title?: string
  readonly en?: string
  readonly nsfw?: Nsfw
  readonly length?: number
  readonly unrated?: boolean
  readonly startDate?: string | undefined
  /** `small` has no large picture, `none` has no picture at all. */
  readonly picture?: 'small' | 'none'
  /** Names the fields that are absent. */
  readonly lacks?: readonly string[]
  /** Neither genres, nor studios or authors, nor anything related. */
  readonly alone?: boolean
}

/** The first entries of each half of the catalogue, one oddity each. */
export const oddities: readonly Oddity[] = [
  {
    title: `That Time the Tollgate Keeper of Velmori Asked Every Traveller for a Story ${'and Was Told Another One Instead '.repeat(9)}(Part 1)`,
  },
  { title: 'Żółw i Ωmega ☕ — 関所のヴェルモリ: “Café Noir” ½ 🏮', en: '' },
  { title: 'Umbrella / Teapot \\ "Nine & Ten" <b>not bold</b>; DROP TABLE' },
  { length: 0 },
  { unrated: true },
  { nsfw: 'gray' },
  { nsfw: 'black' },
  { startDate: '1978' },
  { startDate: '1983-04' },
  { startDate: undefined, lacks: ['synopsis', 'rating', 'source', 'broadcast'] },
  { picture: 'small' },
  { picture: 'none', lacks: ['background', 'rating'] },
  { alone: true },
  { title: '‮Right to Left‬ تجربة ברכה', en: '' },
  { title: 'K' },
]
