import { problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import {
  createKeyFile,
  createTrial,
  keyFile,
  makeDirectoryOf,
  readKeyFile,
  removeKeyFile,
  replaceKeyFile,
} from './key-file.ts'
import { findRootKey, keyringPlace, type FoundKey, type KeyPlacesNeeds } from './key-places.ts'
import { givenPassphrase, protect, unprotect } from './passphrase.ts'
import { isProvenBy, readProof, type Proof } from './proof.ts'
import { parseRootKey } from './root-key.ts'
import type { SystemKeyring } from './system-keyring.ts'

export interface KeyMovesNeeds extends KeyPlacesNeeds {
  readonly storage: Storage
  readonly systemKeyring: SystemKeyring
}

export type KeyMoves = ReturnType<typeof createKeyMoves>

/** What was done to the root key. */
export interface Moved {
  readonly from: string
  readonly to: string
}

/**
 * Puts the root key of a gate that does not run elsewhere. Whatever is written is read back and proven on the database
 * before anything is taken away, so that a crash at any point leaves the key in one place at least.
 *
 * Each throws `vault.root_key_missing`, `vault.root_key_wrong`, `vault.root_key_fixed`, `vault.root_key_already`,
 * `vault.passphrase_*`, `vault.keyring_*`, `vault.file_*`.
 */
export function createKeyMoves(needs: KeyMovesNeeds) {
  const { systemKeyring, storage, random } = needs
  const file = keyFile(needs)

  /** The key where it is now, proven to be the one of this database. */
  async function requireHere(): Promise<{ here: FoundKey; proof: Proof }> {
    const proof = await readProof(storage)
    const here = proof && (await findRootKey(needs, proof.rootKeyId))
    if (proof === undefined || here === undefined) throw problem('vault.root_key_missing', { place: file })
    await prove(here.text, here.root.place, proof)
    return { here, proof }
  }

  async function prove(text: Secret, place: string, proof: Proof): Promise<void> {
    if (!(await isProvenBy(proof, parseRootKey(text, place, random)))) throw problem('vault.root_key_wrong', { place })
  }

  /** Reads a key file as the next start will, with the passphrase it was written with. */
  async function proveFile(place: string, proof: Proof, passphrase: Secret | undefined, written: Secret) {
    const content = readKeyFile(place)
    if (content?.trimEnd() !== written.reveal()) throw problem('vault.root_key_wrong', { place })
    await prove(passphrase ? await unprotect(content, passphrase, place) : written, place, proof)
  }

  async function toKeyring(keep: boolean): Promise<Moved> {
    const { here, proof } = await requireMovable('keyring')
    const to = keyringPlace(here.root.id)
    await systemKeyring.put(here.root.id, here.text)
    const kept = await systemKeyring.find(here.root.id)
    if (kept === undefined) throw problem('vault.keyring_refused', { reason: 'it did not keep what it was given' })
    await prove(kept, to, proof)
    if (!keep) removeKeyFile(file)
    return { from: here.root.place, to }
  }

  async function toFile(keep: boolean): Promise<Moved> {
    const { here, proof } = await requireMovable('file')
    makeDirectoryOf(file)
    await writeFile(file, here, proof)
    if (!keep) await systemKeyring.remove(here.root.id)
    return { from: here.root.place, to: file }
  }

  /** A key file that was not there before; with a passphrase where the environment gives one. */
  async function writeFile(place: string, { text }: FoundKey, proof: Proof): Promise<void> {
    const passphrase = givenPassphrase(needs)
    const written = passphrase ? await protect(text, passphrase, random) : text
    if (!createKeyFile(place, written)) throw problem('vault.file_there', { file: place })
    await proveFile(place, proof, passphrase, written)
  }

  async function requireMovable(to: 'keyring' | 'file') {
    const known = await requireHere()
    const { kind, root } = known.here
    if (kind === 'environment') throw problem('vault.root_key_fixed', { place: root.place })
    if (kind === to) throw problem('vault.root_key_already', { place: root.place, state: 'there' })
    return known
  }

  /** The key in its file; it is there already as `state` says, where that is what it is. */
  async function requireInFile(isProtected: boolean, state: string) {
    const known = await requireHere()
    const { kind, root } = known.here
    if (kind !== 'file') throw problem('vault.root_key_fixed', { place: root.place })
    if (known.here.isProtected === isProtected) throw problem('vault.root_key_already', { place: file, state })
    return known
  }

  return {
    /** Where the key is, proven to be that of this database. */
    show: async (): Promise<FoundKey> => (await requireHere()).here,

    move: (to: 'keyring' | 'file', keep: boolean): Promise<Moved> => (to === 'file' ? toFile(keep) : toKeyring(keep)),

    /**
     * Writes a copy to a file of its own, which must not be there yet, in a directory that is: one made by name would be on
     * this disk, where a stick is not plugged in. With a passphrase where one is given.
     */
    async copy(to: string): Promise<Moved> {
      const { here, proof } = await requireHere()
      await writeFile(to, here, proof)
      return { from: here.root.place, to }
    },

    /** Protects the key file with a passphrase; `choose` answers with it. */
    async protect(choose: () => Promise<Secret>): Promise<Moved> {
      const { here, proof } = await requireInFile(true, 'protected')
      const passphrase = await choose()
      const written = await protect(here.text, passphrase, random)
      await replaceAndProve(written, proof, passphrase)
      return { from: file, to: file }
    },

    /** Writes the key file without a passphrase. */
    async unprotect(): Promise<Moved> {
      const { here, proof } = await requireInFile(false, 'without a passphrase')
      await replaceAndProve(here.text, proof, undefined)
      return { from: file, to: file }
    },
  }

  /** Proven beside the old file first: what replaces it is known to open. */
  async function replaceAndProve(written: Secret, proof: Proof, passphrase: Secret | undefined): Promise<void> {
    const trial = createTrial(file, written)
    try {
      await proveFile(trial, proof, passphrase, written)
    } finally {
      removeKeyFile(trial)
    }
    replaceKeyFile(file, written)
  }
}
