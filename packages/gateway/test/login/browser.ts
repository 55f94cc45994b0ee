/** What a browser does that has no script: it keeps cookies, follows nothing by itself and sends forms. */
export interface Browser {
  readonly cookies: Map<string, string>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Page>
  /** Sends a form, with the hidden fields of the page it was shown on. */
  post(path: string, form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Page>
}

/** A request whose headers are plain fields. */
type Sent = Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> }

export interface Page {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly location: string | null
  /** The values of `Set-Cookie`. */
  readonly setCookies: readonly string[]
}

/** `always` goes with every request. */
export function openBrowser(base: string, origin = base, always: Readonly<Record<string, string>> = {}): Browser {
  const cookies = new Map<string, string>()

  async function send(path: string, init: Sent): Promise<Page> {
    const headers = new Headers({ ...always, ...init.headers })
    if (cookies.size > 0) headers.set('Cookie', Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; '))
    const answer = await fetch(`${base}${path}`, { ...init, headers, redirect: 'manual' })
    const setCookies = answer.headers.getSetCookie()
    for (const cookie of setCookies) keep(cookie)
    const location = answer.headers.get('Location')
    return { status: answer.status, headers: answer.headers, text: await answer.text(), location, setCookies }
  }
  function keep(cookie: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (/; Max-Age=0/.test(cookie)) cookies.delete(name)
    else cookies.set(name, value)
  }

  return {
    cookies,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, form, headers = {}) =>
      send(path, { method: 'POST', body: new URLSearchParams(form), headers: { Origin: origin, ...headers } }),
  }
}

/** The hidden fields of a page's form, to send with it. */
export function hidden(page: Page, action?: string): Record<string, string> {
  const forms = page.text.match(/<form[^]*?<\/form>/g) ?? []
  const form = forms.find((text) => action === undefined || text.includes(`action="${action}"`)) ?? ''
  const fields = form.matchAll(
    /<input\s+type="hidden"\s+name="([^"]+)"(?:\s+autocomplete="username")?\s+value="([^"]*)"/g,
  )
  return Object.fromEntries(Array.from(fields, ([, name = '', value = '']) => [name, text(value)]))
}

/** As a browser reads an attribute. */
function text(escaped: string): string {
  return escaped
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
