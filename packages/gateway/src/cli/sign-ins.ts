import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { systemClock, type Clock } from '../base/clock.ts'
import { dataDirectoryOf } from '../base/data-directory.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { Tokens } from './authorization.ts'
import type { World } from './world.ts'

/** A gate that this person signed in to from here. */
export interface SignedIn {
  readonly clientId: string
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
  /** In milliseconds since 1970. */
  readonly endsAt: number
}

const Entry = z.object({
  clientId: z.string(),
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  endsAt: z.number(),
})
const File = z.record(z.string(), Entry)
type File = z.output<typeof File>

const NAME = 'sign-ins.json'
const LOCK = 'sign-ins.lock'
/** Longer than any renewal takes: whoever held the lock so long is dead. */
const LOCK_MS = 60_000
const AGAIN_MS = 50

/** Those of the data directory. */
export function signInsOf({ environment }: Pick<World, 'environment'>) {
  return createSignIns(dataDirectoryOf(environment), systemClock)
}

/**
 * The gates that this person is signed in to, by resource, in a file that only they can read. Whoever changes it is
 * alone in that: of two that renew one token at the same time, the gate would take one for a thief.
 */
function createSignIns(directory: string, clock: Clock) {
  const path = join(directory, NAME)

  async function read(): Promise<File> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return '{}'
      throw problem('cli.file_unreadable', { file: path, cause: error })
    })
    return File.parse(JSON.parse(text))
  }

  /** Whole or not at all, and never readable by others, not even for a moment. */
  async function write(file: File): Promise<void> {
    const next = `${path}.${process.pid}`
    await writeFile(next, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 })
    await rename(next, path)
  }

  return {
    /** @throws {Problem} `cli.file_unreadable` */
    async find(resource: string): Promise<SignedIn | undefined> {
      const entry = (await read())[resource]
      return entry && toSignedIn(entry)
    },

    /** Keeps what was given in place of what was there, or takes it away. */
    change: (
      resource: string,
      make: (before: SignedIn | undefined) => Promise<(Tokens & { readonly clientId: string }) | SignedIn | undefined>,
    ): Promise<SignedIn | undefined> =>
      alone(directory, async () => {
        const file = await read()
        const before = file[resource] && toSignedIn(file[resource])
        const made = await make(before)
        const { [resource]: _, ...others } = file
        if (made === undefined) {
          await write(others)
          return undefined
        }
        const endsAt = 'endsAt' in made ? made.endsAt : clock.now() + made.endsIn * 1_000
        const entry = {
          clientId: made.clientId,
          accessToken: made.accessToken.reveal(),
          refreshToken: made.refreshToken?.reveal(),
          endsAt,
        }
        await write({ ...others, [resource]: entry })
        return toSignedIn(entry)
      }),
  }
}
export type SignIns = ReturnType<typeof createSignIns>

function toSignedIn({ clientId, accessToken, refreshToken, endsAt }: z.output<typeof Entry>): SignedIn {
  const refresh = refreshToken === undefined ? undefined : secret(refreshToken)
  return { clientId, accessToken: secret(accessToken), refreshToken: refresh, endsAt }
}

/** A directory is made by one of many. */
async function alone<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const lock = join(directory, LOCK)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  while (!(await mkdir(lock).then(() => true, isTaken))) {
    const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Infinity }))
    // As the file system has it, whose time the lock bears.
    if (Date.now() - mtimeMs > LOCK_MS) await rm(lock, { recursive: true, force: true })
    else await pause(AGAIN_MS)
  }
  try {
    return await work()
  } finally {
    await rmdir(lock).catch(() => undefined)
  }
}

function isTaken(error: unknown): false {
  if (isCode(error, 'EEXIST')) return false
  throw error
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
