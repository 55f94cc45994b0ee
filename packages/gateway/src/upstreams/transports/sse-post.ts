import type { Pool } from 'undici'
import type { UpstreamId } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import type { Output, Sender } from '../children/pipes.ts'
import { refusalOf } from './sse-refusal.ts'

export interface PostOutputNeeds {
  readonly upstream: UpstreamId
  readonly pool: Pool
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  /** Aborted with the connection. */
  readonly signal: AbortSignal
  /** The server says that it does not know the connection. */
  onLost(): void
}

interface Message {
  readonly bytes: Buffer
  readonly sender: Sender | undefined
}

/** How much may wait: of clients' requests, and of all. */
const FULL_BYTES = 262_144
const UNREAD_BYTES = 1_048_576
/** How many messages may be on their way. */
const POSTS_MOST = 64
/**
 * How long a message waits for the one before it to be taken. Most servers take it at once and answer on the stream,
 * but some only when its work is done, for which the next one may be needed.
 */
const ORDER_MS = 100
/**
 * How long a message may go on to be taken once nobody waits for what comes of it, and how long one that nobody ever
 * waits for: connections are shared, and one that is never given back is missing to all.
 */
const LEFT_MS = 1_000
const UNAWAITED_MS = 30_000

/** Sends messages to a server of HTTP+SSE one after the other, each with a POST. */
export function createPostOutput(needs: PostOutputNeeds): Output {
  const { upstream: server, pool, path, signal, onLost } = needs
  const headers = ['content-type', 'application/json', 'user-agent', 'sekisho', ...needs.headers]
  const underWay = new Set<Promise<void>>()
  const posts = new Map<Sender, AbortController>()
  let queue: Message[] = []
  let waiting = 0
  let isSending = false
  let drained: PromiseWithResolvers<void> | undefined

  signal.addEventListener('abort', () => {
    queue = []
    waiting = 0
    settle()
  })

  function isFull(): boolean {
    return waiting >= FULL_BYTES && !signal.aborted
  }

  function settle(): void {
    if (isFull()) return
    drained?.resolve()
    drained = undefined
  }

  async function sendAll(): Promise<void> {
    isSending = true
    for (let message = queue.shift(); message; message = queue.shift()) {
      const sent = send(message).finally(() => underWay.delete(sent))
      underWay.add(sent)
      await atMost(ORDER_MS, sent)
      if (underWay.size >= POSTS_MOST) await Promise.race(underWay)
    }
    isSending = false
  }

  async function send({ bytes, sender }: Message): Promise<void> {
    const post = new AbortController()
    const timer = sender ? undefined : setTimeout(() => post.abort(), UNAWAITED_MS)
    if (sender) posts.set(sender, post)
    const either = AbortSignal.any([signal, post.signal])
    try {
      const { statusCode, body } = await pool.request({ method: 'POST', path, headers, body: bytes, signal: either })
      await body.dump()
      if (statusCode >= 300) refuse(statusCode, sender)
    } catch (cause) {
      // It may have arrived all the same.
      sender?.undelivered(problem('upstream.died', { server, cause }))
    } finally {
      clearTimeout(timer)
      if (sender) posts.delete(sender)
      waiting -= signal.aborted ? 0 : bytes.length
      settle()
    }
  }

  /** What has not gone out yet need not. */
  function drop(sender: Sender): void {
    const at = queue.findIndex((message) => message.sender === sender)
    const [message] = at < 0 ? [] : queue.splice(at, 1)
    waiting -= message?.bytes.length ?? 0
    settle()
  }

  function refuse(status: number, sender: Sender | undefined): void {
    if (LOST.has(status)) onLost()
    else sender?.undelivered(refusalOf(status, server))
  }

  return {
    write(message, sender) {
      if (signal.aborted || waiting > UNREAD_BYTES) return false
      const bytes = typeof message === 'string' ? Buffer.from(message) : message
      queue.push({ bytes, sender })
      waiting += bytes.length
      if (!isSending) void sendAll()
      return true
    },
    leave(sender) {
      const post = posts.get(sender)
      if (post) setTimeout(() => post.abort(), LEFT_MS).unref()
      else drop(sender)
    },
    get full() {
      return isFull()
    },
    drained() {
      if (!isFull()) return Promise.resolve()
      drained ??= Promise.withResolvers()
      return drained.promise
    },
  }
}

/** A server that has forgotten a connection, after a restart for example, knows its address no more. */
const LOST: ReadonlySet<number> = new Set([404, 410])

async function atMost(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)))])
  clearTimeout(timer)
}
