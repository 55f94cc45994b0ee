import { MalProblem } from '../api/problem.ts'

/** What one message shows of the text around the place. */
const SHOWN = 24

/** A failure that names the place (from 1), what stands there, what is wrong with it and what to write. */
export function badQuery(text: string, at: number, what: string, fix: string): MalProblem {
  const rest = text.slice(at, at + SHOWN).toWellFormed()
  const near = rest === '' ? 'at its end' : `near "${rest.replaceAll(/\s+/g, ' ')}"`
  return new MalProblem('bad_query', { says: `At character ${at + 1}, ${near}: ${what}. ${fix}` })
}
