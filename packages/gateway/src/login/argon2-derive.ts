import crypto from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { moduleBeside } from '../base/program.ts'

/** What a hash is derived from: all but the password is kept beside it. */
export interface Derivation {
  readonly password: string
  readonly salt: Uint8Array
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
  readonly tagLength: number
}

/** Derives an argon2id tag away from the event loop: with the system's own, which Node has from 24.7 on, or in WebAssembly. */
export const derive: (from: Derivation) => Promise<Buffer> = 'argon2' in crypto ? deriveNatively : deriveInThread

function deriveNatively({ password, salt, memoryKib, ...rest }: Derivation): Promise<Buffer> {
  const how = { ...rest, nonce: salt, memory: memoryKib, message: Buffer.from(password) }
  return new Promise((resolve, reject) => {
    crypto.argon2('argon2id', how, (error, tag) => (error === null ? resolve(tag) : reject(error)))
  })
}

/** A thread for each: beginning one takes a fraction of what it computes, and it gives its memory back. */
export function deriveInThread(from: Derivation): Promise<Buffer> {
  const thread = new Worker(moduleBeside(import.meta.url, 'argon2-thread'), { workerData: from })
  return new Promise((resolve, reject) => {
    thread.once('message', (tag: Uint8Array) => resolve(Buffer.from(tag)))
    thread.once('error', reject)
    thread.once('exit', (code) => reject(new Error(`the thread that derives a hash ended (${code}) without one`)))
  })
}
