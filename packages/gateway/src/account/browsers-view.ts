import { html } from 'hono/html'
import type { Html } from '../pages/html.ts'
import { actionForm, badge, button, hiddenField, table, time } from '../pages/parts.ts'
import { say } from '../pages/words.ts'
import type { Browser, Person } from './needs.ts'

/** The browsers somebody is signed in with, each with a button that ends it. */
export function browsersTable(browsers: readonly Browser[], person: Person): Html {
  return table({
    caption: say('sessions.caption'),
    headings: HEADINGS.map((word) => say(word)),
    rows: browsers.map((browser) => toRow(browser, person)),
    none: say('sessions.none'),
  })
}

const HEADINGS = ['sessions.browser', 'sessions.address', 'sessions.since', 'sessions.seen', 'account.action'] as const

/** This browser is signed out with the button that every page has. */
function toRow({ id, browser, address, createdAt, seenAt }: Browser, { sessionId, csrf }: Person) {
  const end = button(say('sessions.end'), { kind: 'danger', label: `${say('sessions.end')}: ${browser}` })
  const isThis = id === sessionId
  return [
    html`${browser} ${isThis && badge('good', say('sessions.this'))}`,
    address,
    time(createdAt),
    time(seenAt),
    isThis ? undefined : actionForm('/account/sessions/end', csrf, html`${hiddenField('session', id)}${end}`),
  ]
}
