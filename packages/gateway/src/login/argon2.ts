import { timingSafeEqual } from 'node:crypto'
import { problem } from '../base/problem.ts'
import { derive } from './argon2-derive.ts'

/** How much work a guess costs; kept beside each hash, so that it can be raised. */
export interface Argon2Parameters {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

/** @see OWASP Password Storage Cheat Sheet, "Argon2id" */
export const RECOMMENDED: Argon2Parameters = { memoryKib: 19_456, passes: 2, parallelism: 1 }

const SALT_BYTES = 16
const TAG_BYTES = 32
/** Each takes `memoryKib` while it runs, on a thread of its own. */
const AT_ONCE = 2
const WAITING = 100

interface Parsed extends Argon2Parameters {
  readonly salt: Buffer
  readonly tag: Buffer
}

export interface Argon2Needs {
  readonly random: (size: number) => Uint8Array
  readonly parameters?: Argon2Parameters | undefined
}

/**
 * Hashes passwords with argon2id, away from the event loop and no more than two at once; more wait their turn.
 *
 * @see RFC 9106 §3; the PHC string format
 */
export function createArgon2({ random, parameters = RECOMMENDED }: Argon2Needs) {
  const inTurn = createTurns()
  const nobodys: Parsed = { ...parameters, salt: Buffer.from(random(SALT_BYTES)), tag: Buffer.from(random(TAG_BYTES)) }

  return {
    /** @throws {Problem} `login.throttled` where too many wait already */
    async hash(password: string): Promise<string> {
      const salt = Buffer.from(random(SALT_BYTES))
      return format({
        ...parameters,
        salt,
        tag: await inTurn(() => derive({ ...parameters, password, salt, tagLength: TAG_BYTES })),
      })
    },

    /**
     * Answers whether it is the password. With no hash at all it takes as long, and the answer is no: how long it
     * takes tells nobody who has a password here.
     *
     * @throws {Problem} `login.throttled` where too many wait already
     */
    async verify(password: string, hash: string | undefined): Promise<boolean> {
      const known = hash === undefined ? undefined : parse(hash)
      const { tag, ...rest } = known ?? nobodys
      const derived = await inTurn(() => derive({ ...rest, password, tagLength: TAG_BYTES }))
      return timingSafeEqual(derived, tag) && known !== undefined
    },

    /** Whether a hash was made with less, or more, than is asked for today. */
    isOutdated(hash: string): boolean {
      const { memoryKib, passes, parallelism } = parse(hash)
      return (
        memoryKib !== parameters.memoryKib || passes !== parameters.passes || parallelism !== parameters.parallelism
      )
    },
  }
}

function format({ memoryKib, passes, parallelism, salt, tag }: Parsed): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/

function parse(hash: string): Parsed {
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(hash) ?? []
  if (salt === undefined || tag === undefined) throw new Error('the hash of a password is not one of argon2id')
  return {
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

function createTurns() {
  const waiting: (() => void)[] = []
  let running = 0
  return async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running < AT_ONCE) running++
    else {
      if (waiting.length >= WAITING) throw problem('login.throttled', { seconds: 1, waiting: waiting.length })
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
