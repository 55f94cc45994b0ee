import { createHash } from 'node:crypto'
import { createClient, RESP_TYPES } from '@redis/client'
import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import type { Secret } from '../../base/secret.ts'

export type Argument = string | Buffer

export interface RedisLink {
  readonly isUp: boolean
  /** Sends one command; texts are answered as bytes. @throws {Problem} `shared.unreachable`, at once while Redis is away */
  send<T>(...command: readonly Argument[]): Promise<T>
  /** Runs a script, which Redis is given once. @throws {Problem} `shared.unreachable` */
  run<T>(script: Script, keys: readonly string[], given: readonly Argument[]): Promise<T>
  /** Hears a channel from then on, also after Redis was away; while it is, from when it is back. */
  hear(channel: string): Promise<void>
  unhear(channel: string): void
  /** Beats no more, sends one last command, and lets go. */
  close(...farewell: readonly Argument[]): Promise<void>
}

export interface RedisLinkNeeds {
  readonly redisUrl: Secret
  readonly name: string
  readonly log: Log
  readonly random: Random
  /** What shows, each time, that Redis answers. */
  beat(send: RedisLink['send']): Promise<unknown>
  /** The channels to hear on a new connection. */
  channels(): readonly string[]
  take(channel: string, message: Buffer): void
  /** Told when Redis is back. */
  onBack(): void
}

const CONNECT_MS = 5_000
const BEAT_MS = 1_500
/** Without an answer for so long, Redis counts as away, whatever the connection says. */
const SILENCE_MS = 3_000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

/** What Redis is reached by. Each pair serves until either of its connections fails, then there is another pair. */
interface Pair {
  readonly commands: Client
  readonly hearing: Client
}
type Client = ReturnType<typeof newClient>

/**
 * Keeps two connections to Redis, one for commands and one that hears. Nothing waits in a queue for a Redis that is
 * away: what is sent then fails at once.
 *
 * @throws {Problem} `shared.unreachable` where Redis does not answer at the start
 */
export async function openRedisLink(needs: RedisLinkNeeds): Promise<RedisLink> {
  const { log, random, channels, take, beat, onBack } = needs
  let pair: Pair | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined
  await connect()

  async function connect(): Promise<void> {
    const opened = await openPair(needs, lost)
    try {
      await hearAll(opened)
      await prove(opened)
    } catch (error) {
      destroy(opened)
      throw unreachable(error)
    }
    if (closed) return destroy(opened)
    pair = opened
    proveLater(opened)
    // What somebody began to hear meanwhile.
    await hearAll(opened).catch((error: unknown) => lost(opened, error))
  }

  async function hearAll({ hearing }: Pair): Promise<void> {
    const all = channels()
    if (all.length > 0) await hearing.subscribe([...all], onMessage, true)
  }

  function onMessage(message: Buffer, channel: Buffer): void {
    take(channel.toString(), message)
  }

  async function prove({ commands, hearing }: Pair): Promise<void> {
    await within(SILENCE_MS, Promise.all([beat((...command) => commands.sendCommand(command)), hearing.ping()]))
  }

  function proveLater(current: Pair): void {
    timer = setTimeout(() => void keepProving(current), BEAT_MS).unref()
  }

  async function keepProving(current: Pair): Promise<void> {
    try {
      await prove(current)
      if (pair === current) proveLater(current)
    } catch (error) {
      lost(current, error)
    }
  }

  function lost(failed: Pair, error: unknown): void {
    if (pair !== failed) return
    pair = undefined
    clearTimeout(timer)
    destroy(failed)
    log.warn({ error }, 'shared.lost')
    void comeBack()
  }

  async function comeBack(): Promise<void> {
    const began = performance.now()
    let wait = FIRST_WAIT_MS
    while (!(await isBackAfter(wait))) wait = Math.min(2 * wait, LONGEST_WAIT_MS)
    if (closed) return
    log.info({ awayMs: Math.round(performance.now() - began) }, 'shared.back')
    onBack()
  }

  /** Tries once, not all processes at the same moment. */
  async function isBackAfter(milliseconds: number): Promise<boolean> {
    await pause(milliseconds * (0.75 + (random(1)[0] ?? 0) / 512))
    if (closed) return true
    return connect().then(
      () => true,
      () => false,
    )
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      timer = setTimeout(resolve, milliseconds).unref()
    })
  }

  async function send<T>(...command: readonly Argument[]): Promise<T> {
    if (pair === undefined) throw problem('shared.unreachable')
    try {
      return await pair.commands.sendCommand<T>(command)
    } catch (error) {
      throw unreachable(error)
    }
  }

  return {
    get isUp() {
      return pair !== undefined
    },
    send,
    async run<T>({ text, sha }: Script, keys: readonly string[], given: readonly Argument[]): Promise<T> {
      const rest = [String(keys.length), ...keys, ...given]
      try {
        return await send<T>('EVALSHA', sha, ...rest)
      } catch (error) {
        if (!isUnknownScript(error)) throw error
        return send<T>('EVAL', text, ...rest)
      }
    },
    async hear(channel) {
      // Where it fails, the next pair hears all channels there are by then.
      await pair?.hearing.subscribe(channel, onMessage, true).catch(() => {})
    },
    unhear(channel) {
      pair?.hearing.unsubscribe(channel, onMessage, true).catch(() => {})
    },
    async close(...farewell) {
      closed = true
      clearTimeout(timer)
      const last = pair
      if (last === undefined) return
      pair = undefined
      await within(SILENCE_MS, last.commands.sendCommand(farewell)).catch(() => {})
      destroy(last)
    },
  }
}

function newClient({ redisUrl, name }: RedisLinkNeeds) {
  return createClient({
    url: redisUrl.reveal(),
    name,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  })
}

/** @throws {Problem} `shared.unreachable` */
async function openPair(needs: RedisLinkNeeds, lost: (pair: Pair, error: unknown) => void): Promise<Pair> {
  const pair: Pair = { commands: newClient(needs), hearing: newClient(needs) }
  for (const client of [pair.commands, pair.hearing]) client.on('error', (error: unknown) => lost(pair, error))
  try {
    await Promise.all([pair.commands.connect(), pair.hearing.connect()])
    return pair
  } catch (error) {
    destroy(pair)
    throw unreachable(error)
  }
}

function destroy({ commands, hearing }: Pair): void {
  for (const client of [commands, hearing]) if (client.isOpen) client.destroy()
}

function unreachable(cause: unknown) {
  return problem('shared.unreachable', { cause })
}

/**
 * Fails where the work takes longer. What has arrived by then is looked at first: a process that was busy for so long
 * has not been kept waiting.
 */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => setImmediate(() => reject(new Error(`Redis gave no answer for ${milliseconds} ms`))),
    milliseconds,
  )
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export interface Script {
  readonly text: string
  readonly sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

function isUnknownScript(error: unknown): boolean {
  const { cause } = error as Error
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT')
}
