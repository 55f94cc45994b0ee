import type { Random } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { Problem, problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import {
  createKeyFile,
  isOpenToOthers,
  keyFile,
  makeDirectoryOf,
  readKeyFile,
  removeKeyFile,
  type KeyPlace,
} from './key-file.ts'
import {
  givenPassphrase,
  isProtected,
  protect,
  requirePassphrase,
  unprotect,
  type AskPassphrase,
} from './passphrase.ts'
import { newRootKey, parseRootKey, type RootKey } from './root-key.ts'
import { SERVICE, type SystemKeyring } from './system-keyring.ts'

export interface KeyPlacesNeeds extends KeyPlace {
  readonly log: Log
  readonly random: Random
  /** Where it is left out, there is none to be asked. */
  readonly systemKeyring?: SystemKeyring | undefined
  readonly askPassphrase?: AskPassphrase | undefined
}

/** A root key, and where it was found. */
export interface FoundKey {
  readonly kind: 'environment' | 'file' | 'keyring'
  readonly root: RootKey
  /** As it is written down, for whoever puts it elsewhere. */
  readonly text: Secret
  /** Whether it wants a passphrase where it is. */
  readonly isProtected: boolean
}

/** Where a new gate puts its root key. */
const STORES = ['auto', 'keyring', 'file'] as const
export type Store = (typeof STORES)[number]

/** @throws {Problem} `config.invalid` */
export function storeOf({ environment }: Pick<KeyPlace, 'environment'>): Store {
  const given = environment['SEKISHO_ROOT_KEY_STORE'] || 'auto'
  const store = STORES.find((each) => each === given)
  if (store === undefined)
    throw problem('config.invalid', { problems: `SEKISHO_ROOT_KEY_STORE is none of ${STORES.join(', ')}.` })
  return store
}

/** Where people find the entry in their keyring. */
export function keyringPlace(id: string): string {
  return `the keyring of this system (${SERVICE}, ${id})`
}

/**
 * Finds the root key: in the environment, in the key file, and, where it is known which one is wanted, in the keyring of
 * the system, under its id, so that a database finds its own wherever it is moved to. Where a new one would go has no say in that.
 *
 * @throws {Problem} `vault.root_key_malformed`, `vault.passphrase_*`, `vault.keyring_unreachable`
 */
export async function findRootKey(needs: KeyPlacesNeeds, id?: string): Promise<FoundKey | undefined> {
  const given = needs.environment['SEKISHO_ROOT_KEY']
  if (given) return found(needs, { kind: 'environment', place: 'SEKISHO_ROOT_KEY', text: secret(given) })
  return (await findInFile(needs)) ?? (id === undefined ? undefined : findInKeyring(needs, id))
}

async function findInFile(needs: KeyPlacesNeeds): Promise<FoundKey | undefined> {
  const place = keyFile(needs)
  const content = readKeyFile(place)
  if (content === undefined) return undefined
  if (isOpenToOthers(place)) needs.log.warn({ file: place }, 'vault.root_key_readable_by_others')
  if (!isProtected(content)) return found(needs, { kind: 'file', place, text: secret(content) })
  const text = await unprotect(content, await requirePassphrase(needs, place), place)
  return found(needs, { kind: 'file', place, text, isProtected: true })
}

async function findInKeyring(needs: KeyPlacesNeeds, id: string): Promise<FoundKey | undefined> {
  const text = await needs.systemKeyring?.find(id).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error
    throw problem('vault.keyring_unreachable', { place: keyFile(needs), ...error.details, cause: error })
  })
  return text && found(needs, { kind: 'keyring', place: keyringPlace(id), text })
}

type Found = Pick<FoundKey, 'kind' | 'text'> & { readonly place: string; readonly isProtected?: boolean }

function found({ random }: KeyPlacesNeeds, { kind, place, text: given, isProtected = false }: Found): FoundKey {
  const text = secret(given.reveal().trim())
  return { kind, text, isProtected, root: parseRootKey(text, place, random) }
}

/** A root key that was made just now. */
export interface MadeKey {
  readonly root: RootKey
  /** Why it is there and not in the keyring, where that was left open. */
  readonly because: string | undefined
  /** Takes it back, where it is not needed after all. */
  withdraw(): Promise<void>
}

/**
 * Makes a root key and keeps it where `SEKISHO_ROOT_KEY_STORE` says: with `auto` in the keyring of the system, and where
 * there is none that answers in a file. `undefined` where somebody else has just made the file.
 *
 * @throws {Problem} `vault.keyring_refused` where it was to be the keyring; `vault.passphrase_short`
 */
export async function makeRootKey(needs: KeyPlacesNeeds): Promise<MadeKey | undefined> {
  const store = storeOf(needs)
  if (store === 'file') return makeInFile(needs, undefined)
  if (store === 'keyring') return makeInKeyring(needs)
  if (needs.environment['SEKISHO_ROOT_KEY_FILE']) return makeInFile(needs, undefined)
  if (givenPassphrase(needs) !== undefined) return makeInFile(needs, 'a passphrase is set')
  try {
    return await makeInKeyring(needs)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'vault.keyring_refused') throw error
    return makeInFile(needs, `the keyring of this system cannot be used (${String(error.details['reason'])})`)
  }
}

async function makeInKeyring({ systemKeyring, random }: KeyPlacesNeeds): Promise<MadeKey> {
  if (systemKeyring === undefined) throw problem('vault.keyring_refused', { reason: 'none is asked here' })
  const text = newRootKey(random)
  const { id } = parseRootKey(text, '', random)
  await systemKeyring.put(id, text)
  const root = parseRootKey(text, keyringPlace(id), random)
  return { root, because: undefined, withdraw: () => systemKeyring.remove(id) }
}

async function makeInFile(needs: KeyPlacesNeeds, because: string | undefined): Promise<MadeKey | undefined> {
  const { random } = needs
  const place = keyFile(needs)
  const text = newRootKey(random)
  const passphrase = givenPassphrase(needs)
  makeDirectoryOf(place)
  const isMade = createKeyFile(place, passphrase ? await protect(text, passphrase, random) : text)
  if (!isMade) return undefined
  return { root: parseRootKey(text, place, random), because, withdraw: async () => removeKeyFile(place) }
}
