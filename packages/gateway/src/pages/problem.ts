import { html } from 'hono/html'
import type { Problem } from '../base/problem.ts'
import { isPassing, secondsToWait } from '../http/refusal.ts'
import { cleanText } from './clean.ts'
import type { Viewer } from './page.ts'
import { buttonLink } from './parts.ts'
import { showPage } from './respond.ts'
import { say } from './words.ts'

export interface ProblemPageOptions {
  readonly requestId: string
  readonly viewer?: Viewer | undefined
  /** Where to go from there; without it, to one's account. */
  readonly action?: { readonly href: string; readonly label: string } | undefined
  readonly cookies?: readonly string[] | undefined
}

/** Answers a failure in the words of its row: what happened, and what to do. */
export function showProblem(failure: Problem, options: ProblemPageOptions): Response {
  const { requestId, viewer, action = { href: '/account', label: say('problem.home') }, cookies } = options
  const isLost = failure.code === 'request.not_found'
  const title = isLost ? say('problem.notFound') : say('problem.title')
  const body = html`<h1>${title}</h1>
    ${isLost ? undefined : html`<p class="lead">${cleanText(failure.message, 400)}</p>`}
    <p>${isLost ? say('problem.notFoundFix') : cleanText(failure.fix, 400)}</p>
    <p>${buttonLink(action.href, action.label, 'primary')}</p>
    <p class="hint">${say('problem.request', { id: requestId })}</p>`
  return showPage(
    { title, body, viewer, width: 'narrow' },
    { status: failure.row.status, headers: { 'X-Request-Id': requestId, ...retryAfter(failure) }, cookies },
  )
}

/** What goes with a page for whoever is to come back later. */
export function retryAfter(failure: Problem): Record<string, string> {
  return isPassing(failure) ? { 'Retry-After': secondsToWait(failure.details) } : {}
}
