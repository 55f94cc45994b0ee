import { isRecord, type RpcNotification } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { leastSevere, type ClientView, type LogLevel } from '../client.ts'
import type { FollowPlan, Handshake, OwnRequest, UpstreamEra } from '../era.ts'
import type { Interests, ListName } from '../transport.ts'
import type { Calls } from './calls.ts'
import type { Listeners } from './listeners.ts'

/** Has one running server tell what is wanted of it. */
export interface Following {
  /** Has it send log messages from that level on, where it sends less so far. */
  want(level: LogLevel | undefined): void
  /**
   * Brings what it tells in line with what its listeners want by now; ends when it has taken note.
   *
   * @returns what of `asked` it tells.
   * @throws {Problem} `upstream.*` where it ends over that.
   */
  sync(asked?: Interests): Promise<Interests>
  /** Takes what it tells that belongs to no call. */
  take(message: RpcNotification): void
  end(): void
}

export interface FollowingNeeds {
  readonly calls: Pick<Calls, 'request' | 'open'>
  readonly era: UpstreamEra
  readonly handshake: Handshake
  /** What it was promised its client can do. */
  readonly capabilities: string
  readonly shared: boolean
  readonly listeners: Listeners
  /** Told what is told to listeners. */
  onNotification(message: RpcNotification): void
  readonly log: Pick<Log, 'debug'>
  /** How long it may take to take note of something. */
  readonly waitMs: number
}

/** What the gate itself wants to hear, for what it knows of the lists. */
const OWN: ReadonlySet<ListName> = new Set<ListName>(['tools', 'prompts', 'resources'])
const NOTHING: Interests = { lists: new Set(), uris: new Set() }
/** After which time it is asked again, where it has ended what was asked of it. */
const AGAIN_MS = 5_000

/** One long request, and whether the server has taken note of it. */
interface Listening {
  readonly params: string
  /** What of it the server tells, as soon as it has said so; nothing where it does not say. */
  readonly honoured: Promise<Interests | undefined>
  settle(honoured: Interests | undefined): void
  cancel(): void
}

export function createFollowing(needs: FollowingNeeds): Following {
  const { calls, era, handshake, listeners, log, waitMs } = needs
  const client: ClientView = { capabilities: needs.capabilities, session: undefined, logLevel: undefined }
  const canLog = !needs.shared && handshake.capabilities['logging'] !== undefined
  const subscribed = new Map<string, Promise<boolean>>()
  let level: LogLevel | undefined
  let listening: Listening | undefined
  let again: NodeJS.Timeout | undefined
  let isOver = false

  async function sync(asked: Interests = NOTHING): Promise<Interests> {
    const { lists, uris } = era.honoured({ lists: OWN, uris: listeners.wanted().uris }, handshake)
    const plan = era.follow({ lists, uris }, client)
    const told =
      plan.kind === 'session'
        ? { lists, uris: await subscribe(plan, uris) }
        : ((await listen(lists.size + uris.size > 0 ? plan.request : undefined)) ?? { lists, uris })
    return { lists: both(asked.lists, told.lists), uris: both(asked.uris, told.uris) }
  }

  // 1. Where its session tells: one request for each resource.
  async function subscribe(plan: FollowPlan & { kind: 'session' }, uris: ReadonlySet<string>) {
    for (const uri of subscribed.keys()) {
      if (uris.has(uri)) continue
      subscribed.delete(uri)
      ask(plan.unsubscribe(uri)).catch(note)
    }
    for (const uri of uris) if (!subscribed.has(uri)) subscribed.set(uri, ask(plan.subscribe(uri)))
    const asked = await Promise.all([...subscribed].map(async ([uri, accepted]) => ({ uri, isTold: await accepted })))
    // What it refuses may be there the next time that somebody wants it.
    for (const { uri, isTold } of asked) if (!isTold) subscribed.delete(uri)
    return new Set(asked.filter(({ isTold }) => isTold).map(({ uri }) => uri))
  }

  async function ask({ method, params }: OwnRequest): Promise<boolean> {
    const answer = await within(waitMs, calls.request(method, params))
    return answer !== undefined && isResult(answer)
  }

  // 2. Where one long request tells: another one in its place.
  async function listen(request: OwnRequest | undefined): Promise<Interests | undefined> {
    const before = listening
    if (request && before?.params === request.params) return before.honoured
    listening = request && begin(request)
    before?.cancel()
    before?.settle(undefined)
    return listening?.honoured
  }

  function begin({ method, params }: OwnRequest): Listening {
    const { response, cancel } = calls.open(method, params)
    const { promise, resolve } = Promise.withResolvers<Interests | undefined>()
    const own: Listening = { params, honoured: within(waitMs, promise), settle: resolve, cancel }
    response.then(
      (answer) => ended(own, isResult(answer)),
      () => ended(own, true),
    )
    return own
  }

  /** With an error it says that it cannot do it; anything else has ended what it can do again. */
  function ended(own: Listening, canTell: boolean): void {
    own.settle(canTell ? undefined : NOTHING)
    if (listening !== own) return
    listening = undefined
    if (canTell && !isOver) again = setTimeout(resume, AGAIN_MS).unref()
  }

  function resume(): void {
    sync().then(() => listeners.tellChanged(), note)
  }

  function note(error: unknown): void {
    log.debug({ error }, 'upstream.not_followed')
  }

  return {
    want(wanted) {
      const least = leastSevere(level, wanted)
      if (least === undefined || least === level) return
      level = least
      const request = canLog ? era.setLevel(least) : undefined
      if (request) calls.request(request.method, request.params).catch(note)
    },
    sync,
    take(message) {
      const heard = era.heard(message)
      if (heard.kind === 'honoured') return listening?.settle(heard.interests)
      const told = heard.message === message.bytes ? message : { ...message, bytes: heard.message }
      listeners.tell(told)
      needs.onNotification(told)
    },
    end() {
      isOver = true
      clearTimeout(again)
    },
  }
}

function isResult(answer: Buffer): boolean {
  const message: unknown = JSON.parse(answer.toString())
  return isRecord(message) && message['result'] !== undefined
}

function both<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a].filter((each) => b.has(each)))
}

/** What comes of it in time; nothing where it comes too late. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds).unref()
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
