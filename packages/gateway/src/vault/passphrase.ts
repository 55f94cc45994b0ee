import { createSecretKey, scrypt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Random } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import { inWords } from '../base/system-words.ts'
import { decrypt, encodeAad, encrypt, IV_BYTES } from './gcm.ts'

/** Asks a person; there only where one sits at a terminal. */
export type AskPassphrase = (prompt: string) => Promise<Secret>

/**
 * 128 MiB for each guess, most of a second of one core. Kept beside what is sealed, so that it can be raised.
 *
 * @see OWASP Password Storage Cheat Sheet, "scrypt"
 */
const COST = { N: 131_072, r: 8, p: 1 }
const SALT_BYTES = 16
const KEY_BYTES = 32

/** Shorter ones are guessed by whoever has the file, and has time. */
const SHORTEST = 12

/** Four times what is written today: a file must not fill the memory. */
const LARGEST_BYTES = 512 * 1_024 * 1_024

/**
 * A key file whose content a passphrase opens. What it costs is bounded, and N a power of two.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7914#section-6 RFC 7914 §6}
 */
const Protected = z
  .strictObject({
    sekisho: z.literal('root key'),
    version: z.literal(1),
    kdf: z.literal('scrypt'),
    N: z.int().min(16_384).max(1_048_576),
    r: z.int().min(1).max(16),
    p: z.int().min(1).max(16),
    salt: z.base64(),
    sealed: z.base64(),
  })
  .refine(({ N, r, p }) => Number.isInteger(Math.log2(N)) && 128 * N * r * p <= LARGEST_BYTES)
type Protected = z.output<typeof Protected>

/** Whether the content of a key file wants a passphrase: a key in base64 never begins with a brace. */
export function isProtected(content: string): boolean {
  return content.trimStart().startsWith('{')
}

/**
 * Protects a root key with a passphrase: AES-256-GCM under a key that scrypt makes of it.
 *
 * @throws {Problem} `vault.passphrase_short`
 */
export async function protect(key: Secret, passphrase: Secret, random: Random): Promise<Secret> {
  if (Array.from(passphrase.reveal()).length < SHORTEST) throw problem('vault.passphrase_short', { shortest: SHORTEST })
  const head = { ...COST, salt: Buffer.from(random(SALT_BYTES)).toString('base64') }
  const sealing = await derive(passphrase, head)
  const sealed = encrypt(sealing, Buffer.from(key.reveal()), aadOf(head), random(IV_BYTES)).toString('base64')
  return secret(JSON.stringify({ sekisho: 'root key', version: 1, kdf: 'scrypt', ...head, sealed } satisfies Protected))
}

/**
 * Undoes {@link protect}.
 *
 * @throws {Problem} `vault.passphrase_wrong`, or `vault.root_key_malformed` where that is no such file
 */
export async function unprotect(content: string, passphrase: Secret, place: string): Promise<Secret> {
  const file = parse(content)
  if (file === undefined) throw problem('vault.root_key_malformed', { place })
  const opening = await derive(passphrase, file)
  try {
    return secret(decrypt(opening, Buffer.from(file.sealed, 'base64'), aadOf(file)).toString())
  } catch (cause) {
    throw problem('vault.passphrase_wrong', { place, cause })
  }
}

interface Environment {
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * The passphrase that the environment gives or names a file of, whose last line break does not count.
 *
 * @throws {Problem} `vault.file_unreadable`
 */
export function givenPassphrase({ environment }: Environment): Secret | undefined {
  const { SEKISHO_ROOT_KEY_PASSPHRASE: given, SEKISHO_ROOT_KEY_PASSPHRASE_FILE: file } = environment
  const text = given || (file && readPassphrase(file))
  return text ? secret(text) : undefined
}

/** @throws {Problem} `vault.passphrase_missing`, `vault.file_unreadable` */
export async function requirePassphrase(
  needs: Environment & { readonly askPassphrase?: AskPassphrase | undefined },
  place: string,
): Promise<Secret> {
  const passphrase = givenPassphrase(needs) ?? (await needs.askPassphrase?.(`Passphrase of the root key at ${place}: `))
  if (passphrase === undefined) throw problem('vault.passphrase_missing', { place })
  return passphrase
}

function readPassphrase(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw problem('vault.file_unreadable', { file, reason: inWords(cause), cause })
  }
}

function parse(content: string): Protected | undefined {
  try {
    return Protected.parse(JSON.parse(content))
  } catch {
    return undefined
  }
}

type Head = Pick<Protected, 'N' | 'r' | 'p' | 'salt'>

function derive(passphrase: Secret, { salt, N, r, p }: Head) {
  // As people type it: the same letters can be spelled in more than one way.
  const text = passphrase.reveal().normalize('NFC')
  const options = { N, r, p, maxmem: 256 * N * r * p }
  return new Promise<ReturnType<typeof createSecretKey>>((resolve, reject) => {
    scrypt(text, Buffer.from(salt, 'base64'), KEY_BYTES, options, (error, derived) =>
      error === null ? resolve(createSecretKey(derived)) : reject(error),
    )
  })
}

function aadOf({ N, r, p, salt }: Head): Buffer {
  return encodeAad(['sekisho root key file', String(N), String(r), String(p), salt])
}
