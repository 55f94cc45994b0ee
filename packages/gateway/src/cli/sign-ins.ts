import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { systemClock, type Clock } from '../base/clock.ts'
import { dataDirectoryOf } from '../base/data-directory.ts'
import { Problem, problem } from '../base/problem.ts'
import { createSystemKeyring } from '../vault/system-keyring.ts'
import type { Tokens } from './authorization.ts'
import { createSignInTokens, KeptTokens, type SignInTokens } from './sign-in-tokens.ts'
import type { World } from './world.ts'

/** A gate that this person signed in to from here. */
export interface SignedIn extends SignInTokens {
  readonly clientId: string
  /** In milliseconds since 1970. */
  readonly endsAt: number
}

const Entry = z.object({ clientId: z.string(), endsAt: z.number() }).and(KeptTokens)
type Entry = z.output<typeof Entry>
const File = z.record(z.string(), Entry)
type File = z.output<typeof File>

const NAME = 'sign-ins.json'
const LOCK = 'sign-ins.lock'
/** Longer than any renewal takes, with a keyring that has to be unlocked before and after: whoever held the lock so long is dead. */
const LOCK_MS = 180_000
const AGAIN_MS = 50

/** Those of the data directory. */
export function signInsOf({ environment }: Pick<World, 'environment'>) {
  const keeper = createSignInTokens({ environment, keyring: createSystemKeyring({ environment }) })
  return createSignIns({ directory: dataDirectoryOf(environment), clock: systemClock, keeper })
}

interface SignInsNeeds {
  readonly directory: string
  readonly clock: Clock
  readonly keeper: ReturnType<typeof createSignInTokens>
}

/**
 * The gates that this person is signed in to, by resource, in a file that only they can read; the tokens are in the
 * keyring of the system, where there is one. Whoever changes it is alone in that: of two that renew one token at the same
 * time, the gate would take one for a thief.
 */
function createSignIns({ directory, clock, keeper }: SignInsNeeds) {
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

  async function open(url: string, entry: Entry | undefined): Promise<SignedIn | undefined> {
    const tokens = entry && (await keeper.open(entry).catch((error: unknown) => Promise.reject(lockedOr(error, url))))
    return tokens && { clientId: entry.clientId, endsAt: entry.endsAt, ...tokens }
  }

  return {
    /** @throws {Problem} `cli.file_unreadable`, `cli.login_locked` */
    find: async (resource: string): Promise<SignedIn | undefined> => open(resource, (await read())[resource]),

    /**
     * Takes away what was there, whether or not the keyring still tells it; answers what it was.
     *
     * @throws {Problem} `cli.file_unreadable`; `cli.login_locked` once it is taken away
     */
    remove: (resource: string): Promise<SignedIn | undefined> =>
      alone(directory, async () => {
        const { [resource]: entry, ...others } = await read()
        try {
          return await open(resource, entry)
        } finally {
          await write(others)
          await keeper.forget(entry)
        }
      }),

    /**
     * Keeps what is made in place of what was there, which is opened only where it is asked for: who signs in anew needs
     * nothing of it.
     */
    change: (
      resource: string,
      make: (before: () => Promise<SignedIn | undefined>) => Promise<Made | SignedIn | undefined>,
    ): Promise<SignedIn | undefined> =>
      alone(directory, async () => {
        const { [resource]: entry, ...others } = await read()
        const made = await make(() => open(resource, entry))
        if (made === undefined) return undefined
        const { clientId, accessToken, refreshToken } = made
        const endsAt = 'endsAt' in made ? made.endsAt : clock.now() + made.endsIn * 1_000
        const kept = await keeper.keep({ accessToken, refreshToken })
        await write({ ...others, [resource]: { clientId, endsAt, ...kept } })
        await keeper.forget(entry)
        return { clientId, endsAt, accessToken, refreshToken }
      }),
  }
}
export type SignIns = ReturnType<typeof createSignIns>

/** What a gate has just given. */
type Made = Tokens & { readonly clientId: string }

/** That the keyring is locked is told with what to do about a sign-in. */
function lockedOr(error: unknown, url: string): unknown {
  if (!(error instanceof Problem) || error.code !== 'vault.keyring_refused') return error
  return problem('cli.login_locked', { url, ...error.details, cause: error })
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
