import type { UpstreamId } from '../../base/ids.ts'
import { problem, type Problem } from '../../base/problem.ts'

/** What an HTTP status says with which a server of HTTP+SSE does not take what it was sent. */
export function refusalOf(status: number, server: UpstreamId): Problem {
  if (status === 401 || status === 403) return problem('upstream.refused', { server, upstreamStatus: status })
  if (status === 429 || status === 503) return problem('upstream.busy', { server, upstreamStatus: status })
  const reason = status === 200 ? 'no event stream' : `HTTP ${status}`
  return problem('upstream.bad_answer', { server, reason })
}
