import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Random } from '../base/ids.ts'

const START = 'sekisho_'
const BODY_LENGTH = 40
const CHECKSUM_LENGTH = 6
const KEY_LENGTH = START.length + BODY_LENGTH + CHECKSUM_LENGTH
const PREFIX_LENGTH = 12
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The greatest multiple of 62 in a byte; chance from there on would favour the first characters. */
const FAIR = 248

/** Makes a key: `sekisho_`, 40 characters of chance (238 bits), 6 of a checksum that secret scanners can verify. */
export function makeKey(random: Random): string {
  let key = START
  while (key.length < START.length + BODY_LENGTH) key += characters(random(BODY_LENGTH))
  key = key.slice(0, START.length + BODY_LENGTH)
  return key + checksum(key)
}

/** Tells cheaply what cannot be a key, for the path that every call takes. */
export function mayBeKey(text: string): boolean {
  return text.length === KEY_LENGTH && text.startsWith(START)
}

/** Tells, before a database is asked, a key from one that was mistyped or made up. */
export function isKey(text: string): boolean {
  return mayBeKey(text) && checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
}

/** What is kept of a key. Without salt or stretching: it has 238 bits of chance, which nobody guesses. */
export function hashKey(key: string): string {
  return hash('sha256', key, 'base64url')
}

/** What is shown of a key. */
export function prefixOf(key: string): string {
  return key.slice(0, PREFIX_LENGTH)
}

function characters(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) if (byte < FAIR) text += BASE62.charAt(byte % 62)
  return text
}

function checksum(text: string): string {
  let encoded = ''
  for (let rest = crc32(text); encoded.length < CHECKSUM_LENGTH; rest = Math.floor(rest / 62)) {
    encoded = BASE62.charAt(rest % 62) + encoded
  }
  return encoded
}
