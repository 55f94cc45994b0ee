import { resultMessage, type RpcRequest } from '../base/json-rpc.ts'
import { problem } from '../base/problem.ts'
import type { Principal } from '../identity/principal.ts'
import type { ClientView } from '../upstreams/client.ts'
import type { Follower } from './channels.ts'
import { acknowledged, readWanted, told, toldAll } from './eras/told.ts'
import type { Following } from './following.ts'
import type { StreamLimits } from '../limits/streams.ts'
import type { Outlet } from './outlet.ts'
import type { StopSignal } from '../base/stop.ts'

/** Who listens, and where it is written to. */
export interface Listener extends Pick<Follower, 'principal' | 'server'> {
  readonly client: ClientView
  /** Aborts when the client hangs up. */
  readonly signal: StopSignal
  readonly outlet: Pick<Outlet, 'ask' | 'notify' | 'end'>
}

export interface Listening {
  /**
   * Answers `subscriptions/listen`: tells the client of what it asked for until it hangs up or the gate stops.
   *
   * @throws {Problem} `limit.streams`, `gate.overloaded`, `request.params`; `request.not_acceptable` where the client takes no stream
   */
  listen(request: RpcRequest, listener: Listener): Promise<'ok'>
  /** Ends the streams of those who may not read them any more. */
  endOf(isMeant: (principal: Principal) => boolean): void
  /** How many are listening. */
  readonly size: number
  /** Ends all of them, as the protocol has it. */
  close(): void
}

export interface ListeningNeeds {
  readonly following: Pick<Following, 'follow'>
  readonly limits: Pick<StreamLimits, 'open'>
}

/**
 * What clients of the newer revisions are told outside of their other requests. Signs of life are given as to any
 * request that takes its time.
 *
 * @see MCP 2026-07-28, basic/patterns/subscriptions
 */
export function createListening({ following, limits }: ListeningNeeds): Listening {
  /** What ends each of them. */
  const endings = new Map<() => void, Principal>()
  let isClosed = false

  return {
    async listen(request, { principal, server, client, signal, outlet }) {
      const id = request.bytes.toString('utf8', request.idSpan.start, request.idSpan.end)
      const wanted = readWanted(request.paramsValue)
      const release = limits.open(principal)
      const ended = Promise.withResolvers<void>()
      /** What comes before the acknowledgement waits for it. */
      let early: Buffer[] | undefined = []
      const say = (message: Buffer) => void (outlet.notify(message) || ended.resolve())
      const follower: Follower = {
        principal,
        client,
        server,
        takesAll: false,
        told(message) {
          const marked = told(message, id)
          if (early) early.push(marked)
          else say(marked)
        },
      }
      const followed = following.follow(follower, wanted)
      signal.addEventListener('abort', () => ended.resolve(), { once: true })
      endings.set(ended.resolve, principal)
      if (isClosed) ended.resolve()
      try {
        // What the client takes no stream for, it cannot be told.
        if (!outlet.ask(acknowledged(await followed.honoured(), id)) && !signal.aborted)
          throw problem('request.not_acceptable')
        early.forEach(say)
        early = undefined
        await ended.promise
        outlet.end(resultMessage(id, toldAll(id)))
        return 'ok'
      } finally {
        endings.delete(ended.resolve)
        followed.close()
        release()
      }
    },
    endOf(isMeant) {
      for (const [end, principal] of endings) if (isMeant(principal)) end()
    },
    get size() {
      return endings.size
    },
    close() {
      isClosed = true
      for (const end of endings.keys()) end()
    },
  }
}
