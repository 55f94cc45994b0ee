/** One request that came. The query is left out: it may carry a code or a challenge, which is the verifier here. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly user: string | undefined
  /** 0 when the request was left without an answer. */
  readonly status: number
}

export interface RequestLog {
  readonly requests: SeenRequest[]
  /** How often each route was called; the keys are `METHOD /path/:with/:names`. */
  readonly counts: Map<string, number>
  add(request: SeenRequest & { route: string }): void
}

/** Remembers the latest requests, and counts all of them. */
export function createRequestLog(limit = 1_000): RequestLog {
  const requests: SeenRequest[] = []
  const counts = new Map<string, number>()
  return {
    requests,
    counts,
    add({ route, ...request }) {
      if (requests.push(request) > limit) requests.shift()
      counts.set(route, (counts.get(route) ?? 0) + 1)
    },
  }
}
