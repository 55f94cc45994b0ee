import type { Noted, Work } from '../list/entry.ts'
import { readDate, readScore } from './values.ts'

/** What one field of a file says about the work or about what is noted of it. */
export interface Said {
  readonly work?: Partial<Work>
  readonly noted?: Partial<Noted>
  /** Where it was not taken as it stands: what became of it. */
  readonly note?: string
}

/** A value that was noted; `undefined` where it could not be read. */
export function saidNoted<Key extends keyof Noted>(key: Key, value: Noted[Key] | undefined): Said | undefined {
  return value === undefined ? undefined : { noted: { [key]: value } }
}

/** Empty is no date, which is something to say. */
export function saidDate(key: 'startDate' | 'finishDate', text: string): Said | undefined {
  const date = readDate(text)
  return date === undefined ? undefined : { noted: { [key]: date || undefined } }
}

/** 0 and empty are no score; halves, as others have them, are rounded. */
export function saidScore(text: string): Said | undefined {
  const score = readScore(text)
  if (score === undefined) return undefined
  const isRounded = Number(text.trim().replace(',', '.')) !== score
  return { noted: { score: score || undefined }, ...(isRounded && { note: `was rounded to ${score}` }) }
}
