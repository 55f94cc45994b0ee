import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { problem } from '../base/problem.ts'
import { moduleBeside } from '../base/program.ts'
import { secret, type Secret } from '../base/secret.ts'

/**
 * The keyring that the system keeps for whoever is signed in: macOS Keychain, Windows Credential Manager, the Secret
 * Service of a Linux desktop. Every one of these throws `vault.keyring_refused` with the reason where it is missing,
 * locked, or silent for too long.
 */
export interface SystemKeyring {
  /** @throws {Problem} `vault.keyring_refused` */
  find(account: string): Promise<Secret | undefined>
  /** Keeps a value, and has read it back when this ends. @throws {Problem} `vault.keyring_refused` */
  put(account: string, value: Secret): Promise<void>
  /** @throws {Problem} `vault.keyring_refused` */
  remove(account: string): Promise<void>
}

/** What is asked of the process that asks the keyring. */
export interface Asked {
  readonly does: 'find' | 'put' | 'remove'
  readonly service: string
  readonly account: string
  readonly value?: string | undefined
}

export type Answered = z.input<typeof Answer>

const Answer = z.union([z.object({ value: z.string().nullable() }), z.object({ failed: z.string() })])

export const SERVICE = 'sekisho'

/** Long enough for a person to unlock it. */
const ANSWER_MS = 30_000

export interface SystemKeyringNeeds {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How long it may take to answer, a person who unlocks it included. */
  readonly answerMs?: number
}

/**
 * Asks the keyring in a process of its own: to connect to a session bus that does not answer takes for ever, and
 * holds up the whole process meanwhile, timers and signals included. That process is ended at the deadline.
 */
export function createSystemKeyring({ environment, answerMs = ANSWER_MS }: SystemKeyringNeeds): SystemKeyring {
  async function ask(asked: Omit<Asked, 'service'>): Promise<string | undefined> {
    const child = spawn(process.execPath, [moduleBeside(import.meta.url, 'system-keyring-child')], {
      env: pick(environment),
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: answerMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
    })
    // One that is gone already reads nothing more; that it does not answer is what counts.
    child.stdin.on('error', () => {}).end(JSON.stringify({ service: SERVICE, ...asked } satisfies Asked))
    const ended = Promise.withResolvers<void>()
    child.once('error', ended.reject).once('close', () => ended.resolve())
    const [said] = await Promise.all([text(child.stdout), ended.promise]).catch((cause: unknown) => {
      throw refused('it cannot be asked', cause)
    })
    if (child.signalCode !== null) throw refused(`it did not answer within ${Math.ceil(answerMs / 1_000)} s`)
    const answer = Answer.safeParse(readJson(said))
    if (!answer.success) throw refused('it cannot be asked on this system')
    if ('failed' in answer.data) throw refused(inWords(answer.data.failed))
    return answer.data.value ?? undefined
  }

  async function find(account: string): Promise<Secret | undefined> {
    const value = await ask({ does: 'find', account })
    return value === undefined ? undefined : secret(value)
  }

  return {
    find,
    async put(account, value) {
      await ask({ does: 'put', account, value: value.reveal() })
      if ((await find(account))?.reveal() !== value.reveal()) throw refused('it did not keep what it was given')
    },
    async remove(account) {
      await ask({ does: 'remove', account })
    },
  }
}

/** What a keyring is reached with: the session's bus and displays, and on Windows the user's own directories. */
const NEEDED =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|XDG_\w+|TMPDIR|TEMP|TMP|SYSTEMROOT|SYSTEMDRIVE|WINDIR|USERNAME|USERDOMAIN|USERPROFILE|APPDATA|LOCALAPPDATA)$/i

function pick(environment: SystemKeyringNeeds['environment']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => NEEDED.test(entry[0]) && Boolean(entry[1]),
    ),
  )
}

function readJson(said: string): unknown {
  try {
    return JSON.parse(said)
  } catch {
    return undefined
  }
}

/** What systems say, and what that means. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/autolaunch|DBUS_SESSION_BUS_ADDRESS|Failed to connect to socket|NotSupported/i, 'there is no desktop session here'],
  [/prompt was dismissed|locked|interaction is not allowed/i, 'it is locked, and was not unlocked'],
  [/no result found/i, 'it has nowhere to keep anything yet'],
  [/ServiceUnknown|not provided by any/i, 'no program keeps one in this session'],
  [/Cannot find (?:module|package|native binding)|MODULE_NOT_FOUND/i, 'its library is not installed for this system'],
]

function inWords(message: string): string {
  const known = WORDS.find(([pattern]) => pattern.test(message))
  return known?.[1] ?? message.replaceAll(/\s+/g, ' ').slice(0, 200)
}

function refused(reason: string, cause?: unknown) {
  return problem('vault.keyring_refused', { reason, cause })
}
