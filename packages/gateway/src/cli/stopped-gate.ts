import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { dataDirectoryOf } from '../base/data-directory.ts'
import { systemRandom } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import { openStorage } from '../storage/database.ts'
import { createKeyMoves, type KeyMoves } from '../vault/key-moves.ts'
import { createSystemKeyring } from '../vault/system-keyring.ts'
import { readSecret } from '../base/terminal.ts'
import { createPrinter } from './print.ts'
import type { World } from './world.ts'

/**
 * Works on the root key of the gate of the data directory, which must not be running meanwhile: an embedded database
 * shows whether it is, for PostgreSQL whoever calls this has to know. The database is opened as it is: to look for a key
 * brings nothing up to date.
 *
 * A passphrase that is needed is asked for at a terminal, and may be piped in where the command takes nothing else.
 *
 * @throws {Problem} `cli.no_database`, `storage.in_use`, `storage.unreachable`, `storage.empty`
 */
export async function withRootKey<T>(
  world: World,
  work: (moves: KeyMoves) => Promise<T>,
  { takesPiped = false } = {},
): Promise<T> {
  const { environment, input, errors } = world
  const dataDir = dataDirectoryOf(environment)
  const databaseUrl = environment['DATABASE_URL'] ? secret(environment['DATABASE_URL']) : undefined
  // To look for a key must not make the database that it belongs to.
  if (databaseUrl === undefined && !existsSync(join(dataDir, 'sekisho.db')))
    throw problem('cli.no_database', { directory: dataDir })
  const log = createNotes(world)
  const storage = await openStorage({ dataDir, databaseUrl, clock: systemClock, log, asItIs: true })
  try {
    const systemKeyring = createSystemKeyring({ environment })
    const isAnswered = takesPiped || input.isTTY === true
    const askPassphrase = isAnswered ? (prompt: string) => readSecret(prompt, { input, errors }) : undefined
    const place = { dataDir, environment, systemKeyring, askPassphrase, log, random: systemRandom }
    return await work(createKeyMoves({ ...place, storage }))
  } finally {
    await storage.close()
  }
}

/** What the gate would log as a warning, as a note. */
function createNotes(world: World) {
  const print = createPrinter(world)
  const note = (facts: object, event: string) => print.note(`${event} ${JSON.stringify(facts)}`)
  return { debug: () => {}, info: () => {}, warn: note, error: note }
}
