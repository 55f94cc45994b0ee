import { parse, type HTMLElement } from 'node-html-parser'
import { CookieJar } from 'tough-cookie'

/** A page as it was answered, with what a person could do on it. */
export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly html: string
  readonly title: string
  /** What stands on the page, without markup. */
  readonly text: string
  /** Follows the link with these words. */
  follow(words: RegExp): Promise<Page>
  /** Fills in the form that has this button, and presses it. */
  press(button: RegExp, fields?: Readonly<Record<string, string>>): Promise<Page>
  has(button: RegExp): boolean
}

/** A browser without a screen or scripts: cookies, redirects, links and forms. */
export interface Browser {
  open(url: string): Promise<Page>
  /** The addresses it has been sent to since it was made, redirects included. */
  readonly visited: readonly string[]
  /** The cookies it would send there. */
  cookies(url: string): Promise<string>
}

export interface BrowserOptions {
  /** Redirects to an address that this names are not followed: the page is the redirect itself. */
  readonly stopAt?: (url: URL) => boolean
}

const REDIRECTS_MOST = 20
const TIMEOUT_MS = 30_000

export function createBrowser({ stopAt = () => false }: BrowserOptions = {}): Browser {
  const jar = new CookieJar(undefined, { allowSpecialUseDomain: true })
  const visited: string[] = []

  async function go(url: URL, init: RequestInit, redirects = 0): Promise<Page> {
    if (redirects > REDIRECTS_MOST) throw new Error(`too many redirects, at ${url.origin}${url.pathname}`)
    visited.push(url.href)
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...headersOf(init), cookie: await jar.getCookieString(url.href), accept: 'text/html,*/*' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, url.href, { ignoreError: true })
    const location = response.headers.get('location')
    const next = location === null ? undefined : new URL(location, url)
    if (next === undefined || response.status < 300 || response.status > 399) return toPage(url, response, go)
    await response.body?.cancel()
    if (stopAt(next)) {
      visited.push(next.href)
      return toPage(next, new Response(null, { status: response.status }), go)
    }
    return go(next, {}, redirects + 1)
  }

  return {
    visited,
    open: (url) => go(new URL(url), {}),
    cookies: (url) => jar.getCookieString(url),
  }
}

type Go = (url: URL, init: RequestInit) => Promise<Page>

async function toPage(url: URL, response: Response, go: Go): Promise<Page> {
  const html = await response.text()
  const root = parse(html)

  function formWith(button: RegExp): { form: HTMLElement; pressed: HTMLElement } | undefined {
    for (const form of root.querySelectorAll('form')) {
      const pressed = form.querySelectorAll('button').find((one) => button.test(one.text.trim()))
      if (pressed) return { form, pressed }
    }
    return undefined
  }

  return {
    url: url.href,
    status: response.status,
    headers: response.headers,
    html,
    title: root.querySelector('title')?.text ?? '',
    text: (root.querySelector('main') ?? root).structuredText,
    async follow(words) {
      const link = root.querySelectorAll('a').find((one) => words.test(one.text.trim()))
      const href = link?.getAttribute('href')
      if (href === undefined) throw new Error(`no link ${words} on ${url.pathname}: ${root.structuredText}`)
      return go(new URL(href, url), {})
    },
    has: (button) => formWith(button) !== undefined,
    async press(button, fields = {}) {
      const found = formWith(button)
      if (!found) throw new Error(`no button ${button} on ${url.pathname}: ${root.structuredText}`)
      return submit(found, { fields, url, go })
    },
  }
}

interface Submission {
  readonly fields: Readonly<Record<string, string>>
  readonly url: URL
  readonly go: Go
}

function submit({ form, pressed }: { form: HTMLElement; pressed: HTMLElement }, { fields, url, go }: Submission) {
  const filled = { ...valuesOf(form), ...nameAndValue(pressed), ...fields }
  const target = new URL(pressed.getAttribute('formaction') ?? form.getAttribute('action') ?? url.href, url)
  const body = new URLSearchParams(filled)
  if ((form.getAttribute('method') ?? 'get').toLowerCase() !== 'post') {
    target.search = body.toString()
    return go(target, {})
  }
  const headers = { origin: url.origin, 'content-type': 'application/x-www-form-urlencoded' }
  return go(target, { method: 'POST', headers, body: body.toString() })
}

/** What a browser would send if nothing were changed. */
function valuesOf(form: HTMLElement): Record<string, string> {
  const values: Record<string, string> = {}
  for (const input of form.querySelectorAll('input')) {
    const isUnticked = /^(?:checkbox|radio)$/.test(input.getAttribute('type') ?? '') && !input.hasAttribute('checked')
    if (!isUnticked) Object.assign(values, nameAndValue(input))
  }
  for (const select of form.querySelectorAll('select')) {
    const options = select.querySelectorAll('option')
    const chosen = options.find((option) => option.hasAttribute('selected')) ?? options[0]
    const name = select.getAttribute('name')
    if (name !== undefined && chosen) values[name] = chosen.getAttribute('value') ?? chosen.text
  }
  return values
}

function nameAndValue(element: HTMLElement): Record<string, string> {
  const name = element.getAttribute('name')
  return name === undefined ? {} : { [name]: element.getAttribute('value') ?? '' }
}

function headersOf({ headers }: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(headers))
}
