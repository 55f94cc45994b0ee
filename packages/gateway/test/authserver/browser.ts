import type { UserId } from '../../src/base/ids.ts'

/** Who the test's browser is signed in to the gate as; the fake of the sign-in reads it back. */
export const WHO = 'x-test-user'

interface Cookie {
  readonly value: string
  readonly path: string
}

export interface Visit {
  readonly status: number
  readonly headers: Headers
  readonly location: URL | undefined
  readonly text: string
}

/** A browser as far as sign-in needs one: it keeps cookies by path, and goes where it is sent when told to. */
export function createBrowser(user?: { id: UserId; signedInAt?: number }) {
  const jar = new Map<string, Cookie>()
  let signedIn = user

  function cookiesFor(path: string): string {
    const sent = [...jar].filter(
      ([, cookie]) => path === cookie.path || path.startsWith(`${cookie.path.replace(/\/$/, '')}/`),
    )
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ')
  }
  function keep(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const [name = '', value = ''] = pair.split(/=(.*)/s)
      const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/'
      if (value === '') jar.delete(name)
      else jar.set(name, { value, path })
    }
  }

  return {
    signIn(next: { id: UserId; signedInAt?: number } | undefined): void {
      signedIn = next
    },
    async open(url: string | URL, headers: Record<string, string> = {}): Promise<Visit> {
      const { pathname } = new URL(url)
      const answer = await fetch(url, {
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          cookie: cookiesFor(pathname),
          ...(signedIn ? { [WHO]: `${signedIn.id} ${signedIn.signedInAt ?? 0}` } : {}),
          ...headers,
        },
      })
      keep(answer.headers)
      const location = answer.headers.get('location')
      return {
        status: answer.status,
        headers: answer.headers,
        location: location === null ? undefined : new URL(location, url),
        text: await answer.text(),
      }
    },
  }
}
export type Browser = ReturnType<typeof createBrowser>
