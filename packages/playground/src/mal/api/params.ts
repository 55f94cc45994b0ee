import { badRequest } from './errors.ts'

interface Range {
  readonly least: number
  readonly most: number
}

/** Reads a whole number; `undefined` when it was not sent, 400 when it is none or out of range. */
export function readNumber(params: URLSearchParams, name: string, { least, most }: Range): number | undefined {
  const text = params.get(name)
  if (text === null) return undefined
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) throw badRequest(`invalid ${name}`)
  return value
}

/** Reads `true` or `false`; everything else that was sent is 400. */
export function readBoolean(params: URLSearchParams, name: string): boolean | undefined {
  const text = params.get(name)
  if (text === null) return undefined
  if (text !== 'true' && text !== 'false') throw badRequest(`invalid ${name}`)
  return text === 'true'
}

/** Reads the name of a row. */
export function readKey<T>(params: URLSearchParams, name: string, rows: Readonly<Record<string, T>>): T | undefined {
  const text = params.get(name)
  if (text === null) return undefined
  const row = Object.hasOwn(rows, text) ? rows[text] : undefined
  if (row === undefined) throw badRequest(`invalid ${name}`)
  return row
}

/** Reads a date as precise as it is known; an empty one clears. */
export function readDate(params: URLSearchParams, name: string): string | undefined {
  const text = params.get(name)
  if (text === null) return undefined
  if (!/^(\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)?$/.test(text)) throw badRequest(`invalid ${name}`)
  return text
}
