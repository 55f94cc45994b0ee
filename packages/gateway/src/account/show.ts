import type { Html } from '../pages/html.ts'
import { showPage } from '../pages/respond.ts'
import { viewerOf, type Visit } from './visit.ts'

interface Showing {
  readonly narrow?: boolean
  readonly status?: number
  readonly leadsAway?: boolean
  readonly script?: 'passkey'
}

/** Answers with a page for the user who visits. */
export function show(
  visit: Visit,
  title: string,
  body: Html,
  { narrow = false, script, ...options }: Showing = {},
): Response {
  return showPage(
    { title, body, viewer: viewerOf(visit.person, visit.url.pathname), width: narrow ? 'narrow' : 'wide', script },
    options,
  )
}
