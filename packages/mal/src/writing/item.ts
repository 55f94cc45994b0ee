import { blank } from '../list/entry.ts'
import { z } from 'zod'
import { kinds, type Kind, type Noted } from '../list/entry.ts'
import type { Change } from '../session.ts'
import type { Json } from '../storage/storage.ts'

/**
 * How far one item of an operation is. `begun`: the request was about to be sent, so that what became of it is in
 * doubt until the entry is read. `left`: it was not carried out, and will not be.
 */
export const itemStates = ['waiting', 'begun', 'done', 'failed', 'left'] as const
export type ItemState = (typeof itemStates)[number]

/** One entry of an operation: what it was, what it is to become, and what became of it. */
export interface Item {
  readonly kind: Kind
  readonly id: number
  readonly title: string
  /** Before the operation; `undefined`: it was not on the list. */
  readonly before: Noted | undefined
  /** What is to change; `undefined`: it is to be removed. */
  readonly change: Change | undefined
  readonly state: ItemState
  /** What MyAnimeList said of it afterwards; `undefined`: it is not on the list, or nothing was changed. */
  readonly after: Noted | undefined
  /** Why it failed or was left. */
  readonly why: string | undefined
}

const Count = z.number()
const KeptNoted = z.object({
  status: z.string().optional(),
  score: Count.optional(),
  progress: Count.optional(),
  volumes: Count.optional(),
  isRepeating: z.boolean().optional(),
  timesRepeated: Count.optional(),
  repeatValue: Count.optional(),
  priority: Count.optional(),
  startDate: z.string().optional(),
  finishDate: z.string().optional(),
  tags: z.array(z.string()).optional(),
  comments: z.string().optional(),
  updatedAt: z.string().optional(),
})
const KeptItem = z.object({
  kind: z.enum(kinds),
  id: z.number(),
  title: z.string(),
  state: z.enum(itemStates),
  before: KeptNoted.optional(),
  change: KeptNoted.optional(),
  after: KeptNoted.optional(),
  why: z.string().optional(),
})
const KeptItems = z.array(KeptItem)

/** Items as they are kept: what an entry says nothing of takes no room. */
export function packItems(items: readonly Item[]): Json {
  const packed = items.map(({ before, after, ...item }) => ({
    ...item,
    ...(before && { before: pack(before) }),
    ...(after && { after: pack(after) }),
  }))
  // What is `undefined` is left out, as in any JSON.
  return JSON.parse(JSON.stringify(packed))
}

/** @throws {z.ZodError} where something else was kept */
export function unpackItems(kept: Json): Item[] {
  return KeptItems.parse(kept).map(({ before, after, change, why, ...item }) => ({
    ...item,
    before: before && unpack(before),
    after: after && unpack(after),
    change: change && (JSON.parse(JSON.stringify(change)) as Change),
    why,
  }))
}

function pack(noted: Noted): Partial<Noted> {
  const base: Readonly<Record<string, unknown>> = { ...blank }
  const said = Object.entries(noted).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(base[name]))
  return Object.fromEntries(said)
}

function unpack(kept: z.infer<typeof KeptNoted>): Noted {
  return Object.assign({}, blank, kept)
}
