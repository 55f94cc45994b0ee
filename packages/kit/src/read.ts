/**
 * Readers for answers that may change: MyAnimeList adds fields and values whenever it likes, leaves out what it has
 * not computed, and sends some numbers as strings. None of these throws; what is not there is `undefined`.
 */

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** Text with something in it; MyAnimeList writes "" for a title that does not exist. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** A number where 0 means "not known": episodes, scores, seconds. */
export function asPositive(value: unknown): number | undefined {
  const number = asNumber(value)
  return number !== undefined && number > 0 ? number : undefined
}

/** The `name` of every member that has one: genres, studios. */
export function namesOf(value: unknown): string[] {
  return asList(value).flatMap((member) => asText(asObject(member)?.['name']) ?? [])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
