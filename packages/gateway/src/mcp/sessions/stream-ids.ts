/** What a client says where it was cut off. */
export interface Place {
  readonly stream: string
  /** The number of the last event it has. */
  readonly after: number
  /** The id of the request whose stream it is, as JSON text; `undefined` for a session's own stream. */
  readonly requestId: string | undefined
}

/** Names streams within their sessions: no two of any process have one name. */
export function createStreamIds(instance: string) {
  let count = 0
  const next = (session: string) => `${session}.${instance}.${(++count).toString(36)}`

  return {
    own: (session: string): string => next(session),
    /** The id of the request stands in the name, so that any process can answer it where the stream is lost. */
    ofCall: (session: string, requestId: string): string =>
      `${next(session)}.${Buffer.from(requestId).toString('base64url')}`,
  }
}

/** An event is found again by its stream and its number in it. */
export function eventId(stream: string, at: number): string {
  return `${stream}_${at}`
}

/** Reads `Last-Event-ID`; `undefined` where it names no event of a stream of that session. */
export function readEventId(text: string, session: string): Place | undefined {
  const [, stream, of, id, after] = EVENT.exec(text) ?? []
  if (stream === undefined || of !== session) return undefined
  const requestId = id === undefined ? undefined : Buffer.from(id, 'base64url').toString()
  if (requestId !== undefined && !isRequestId(requestId)) return undefined
  return { stream, after: Number(after), requestId }
}

const EVENT = /^(([\w-]+)\.[A-Za-z0-9]+\.[0-9a-z]+(?:\.([\w-]+))?)_(\d{1,12})$/

/** It is sent out again, and may be anything that a client made up. */
function isRequestId(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' || typeof value === 'number'
  } catch {
    return false
  }
}
