import { parentPort, workerData } from 'node:worker_threads'
import { argon2id } from 'hash-wasm'
import type { Derivation } from './argon2-derive.ts'

/** A thread that is handed one derivation, answers with the tag, and ends. */
const { passes, memoryKib, tagLength, ...rest }: Derivation = workerData
parentPort?.postMessage(
  await argon2id({ ...rest, iterations: passes, memorySize: memoryKib, hashLength: tagLength, outputType: 'binary' }),
)
