import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { openStorage } from '../../src/storage/database.ts'
import { createKeyMoves, type KeyMoves } from '../../src/vault/key-moves.ts'
import { createSystemKeyring } from '../../src/vault/system-keyring.ts'
import { quiet } from '../stores/quiet.ts'

/**
 * Does something with a root key, and is killed at the given step that touches a file: `killed.ts <directory> <what> <step>`.
 * Where there is no such step, it writes how many there are.
 */
const [dataDir = '', what = '', step = ''] = process.argv.slice(2)
const { env: environment } = process

const deeds: Readonly<Record<string, (moves: KeyMoves) => Promise<unknown>>> = {
  protect: (moves) => moves.protect(() => Promise.resolve(secret(environment['SEKISHO_ROOT_KEY_PASSPHRASE'] ?? ''))),
  unprotect: (moves) => moves.unprotect(),
  'move to the keyring': (moves) => moves.move('keyring', false),
  'move to the file': (moves) => moves.move('file', false),
}

const storage = await openStorage({ dataDir, clock: systemClock, log: quiet, asItIs: true })
const systemKeyring = createSystemKeyring({ environment })
const moves = createKeyMoves({ dataDir, environment, systemKeyring, storage, log: quiet, random: systemRandom })

let taken = 0
for (const name of ['openSync', 'writeSync', 'linkSync', 'rmSync', 'renameSync'] as const) {
  const real: (...words: never[]) => unknown = fs[name]
  const killing = (...words: never[]) => {
    if (taken === Number(step)) process.kill(process.pid, 'SIGKILL')
    taken += 1
    return real(...words)
  }
  Object.assign(fs, { [name]: killing })
}
syncBuiltinESMExports()

await deeds[what]?.(moves)
await storage.close()
process.stdout.write(String(taken))
