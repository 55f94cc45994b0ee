import { problem } from '../../base/problem.ts'
import type { FollowPlan } from '../era.ts'
import type { Interests } from '../transport.ts'
import type { FollowNeeds, Followed } from './http-follow-session.ts'
import { NOTHING, type Group } from './http-group.ts'
import { messageHeaders, type Link } from './http-link.ts'
import { openStream, type Stream, type StreamEnd } from './http-stream.ts'

type RequestPlan = Extract<FollowPlan, { readonly kind: 'request' }>

/** What the server said to the request: what it honours, or how it ended instead. */
type Word = { readonly kind: 'honoured'; readonly interests: Interests } | StreamEnd

/**
 * Makes the one long request of a group ask for what the group wants. Another is opened before the one there was is
 * closed, so that nothing is missed in between.
 *
 * @returns a function that throws {Problem} `upstream.*`; what was heard before goes on.
 * @see MCP 2026-07-28, basic/utilities/subscriptions
 */
export function createRequestFollower(needs: Omit<FollowNeeds, 'links'>) {
  const { upstream: server, settings, hearing, clock, routeFor } = needs

  function open(group: Group, link: Link, { request }: RequestPlan): { stream: Stream; word: Promise<Word> } {
    const route = routeFor(group.caller)
    const word = Promise.withResolvers<Word>()
    const id = link.nextId()
    const headers = messageHeaders(route, link, request.method)
    const body = `{"jsonrpc":"2.0","id":${id},"method":"${request.method}","params":${request.params}}`
    let isHeard = false
    const ended = (end: StreamEnd) => {
      if (!isHeard) return word.resolve(end)
      if (group.stream !== stream) return
      group.stream = undefined
      needs.onLost(group, end)
    }
    const stream: Stream = openStream(
      route.streams,
      { method: 'POST', path: route.path, headers, body, eventBytes: settings.answerBytes },
      {
        onOpen: () => {},
        onMessage(data) {
          const message = hearing.read(data)
          if (message?.kind === 'response') {
            stream.close()
            return ended(endOf(data))
          }
          const interests = message && hearing.notification(group, message, link)
          if (interests === undefined) return
          isHeard = true
          word.resolve({ kind: 'honoured', interests })
        },
        onEnd: ended,
      },
    )
    const timer = setTimeout(() => word.reject(timeout()), settings.startMs)
    return { stream, word: word.promise.finally(() => clearTimeout(timer)) }
  }

  function timeout() {
    return problem('upstream.timeout', { server, seconds: settings.startMs / 1000 })
  }

  /** What it means that the server did not take the request. */
  function judge(end: StreamEnd): 'silent' {
    if (end.kind === 'lost') throw problem('upstream.unreachable', { server })
    const { status } = end
    if (status === 401 || status === 403) throw problem('upstream.refused', { server, upstreamStatus: status })
    if (status === 429 || status >= 500) throw problem('upstream.busy', { server, upstreamStatus: status })
    return 'silent'
  }

  async function replace(group: Group, link: Link, plan: RequestPlan, wanted: Interests): Promise<Followed> {
    const { stream, word } = open(group, link, plan)
    try {
      const said = await word
      if (group.link !== link) {
        // The group has let go of the link, perhaps since the credential is gone that this was asked with.
        stream.close()
        return 'again'
      }
      if (said.kind === 'honoured' && stream.isOver) throw problem('upstream.unreachable', { server })
      if (said.kind === 'honoured') {
        group.stream?.close()
        group.stream = stream
        group.asked = wanted
        group.openedAt = clock.now()
        return said.interests
      }
      judge(said)
    } catch (error) {
      stream.close()
      throw error
    }
    stream.close()
    if (group.stream) throw problem('upstream.bad_answer', { server, reason: 'it does not take the subscription' })
    group.isSilent = true
    return NOTHING
  }

  return async (group: Group, link: Link, plan: RequestPlan, wanted: Interests): Promise<Followed> => {
    if (wanted.lists.size + wanted.uris.size === 0) {
      group.stream?.close()
      group.stream = undefined
      return NOTHING
    }
    if (group.isSilent) return NOTHING
    if (group.stream && isSame(group.asked, wanted)) return group.honoured
    return replace(group, link, plan, wanted)
  }
}

/** An answer ends the request: with a result in good order, with an error because it is not wanted. */
function endOf(data: Buffer): StreamEnd {
  const { error } = JSON.parse(data.toString()) as { error?: unknown }
  return error === undefined
    ? { kind: 'lost', lastId: undefined, retryMs: undefined }
    : { kind: 'refused', status: 400 }
}

function isSame(a: Interests, b: Interests): boolean {
  return isSameSet(a.lists, b.lists) && isSameSet(a.uris, b.uris)
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((each) => b.has(each))
}
