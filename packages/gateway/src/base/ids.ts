import { randomBytes } from 'node:crypto'

/** Who owns a row: every table but a few system ones is divided by it. */
export type TenantId = string & { readonly brand: 'TenantId' }
/** What the configuration calls the tenant there always is: the people of a gate that names no other. */
export const DEFAULT_TENANT_NAME = 'default'
/** A person (or agent) within one tenant. */
export type UserId = string & { readonly brand: 'UserId' }
/** The name of an upstream server, as the configuration spells it. */
export type UpstreamId = string & { readonly brand: 'UpstreamId' }

/** Chance, handed in as an argument so that a test can load the dice. */
export type Random = (size: number) => Uint8Array

export const systemRandom: Random = (size) => randomBytes(size)

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * Makes ids that sort by the time they were made: `usr_` + 10 characters of time + 12 of chance
 * (60 bits), in Crockford's base 32, lower case.
 */
export function createIds(clock: { now(): number }, random: Random = systemRandom) {
  return (prefix: 'usr' | 'agt' | 'key' | 'ten' | 'evt' | 'vlt'): string =>
    `${prefix}_${encodeTime(clock.now())}${encodeChance(random(12))}`
}
export type NewId = ReturnType<typeof createIds>

function encodeTime(milliseconds: number): string {
  let text = ''
  for (let rest = milliseconds; text.length < 10; rest = Math.floor(rest / 32)) text = ALPHABET.charAt(rest % 32) + text
  return text
}

function encodeChance(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += ALPHABET.charAt(byte & 31)
  return text
}

/**
 * Names one request in logs, errors and the upstream's `X-Request-Id`. Unique, not secret: a prefix of
 * chance for this process and a counter.
 */
export function createRequestIds(random: Random = systemRandom): () => string {
  const prefix = encodeChance(random(8))
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
