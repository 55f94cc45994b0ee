import type { Random } from '../base/ids.ts'
import { clearCookie, cookieName, readCookie, setCookie } from '../pages/cookies.ts'
import { csrfToken, requireCsrf, requireOwnOrigin } from '../pages/csrf.ts'
import { readForm } from '../pages/forms.ts'

/** What the form of somebody who is not signed in yet is bound to. */
export interface FormKey {
  readonly csrf: string
  /** Set-Cookie values that go with the page of the form. */
  readonly cookies: readonly string[]
}

export interface FormCookieNeeds {
  readonly random: Random
  readonly publicUrl: string
}

const VALUE_BYTES = 32

/** Ties forms to the browser they were shown in, before there is a session to tie them to. */
export function createFormCookie({ random, publicUrl }: FormCookieNeeds) {
  const secure = publicUrl.startsWith('https:')
  const name = cookieName('sekisho-form', secure)
  const valueOf = (cookieHeader: string | undefined) => {
    const value = readCookie(cookieHeader, name)
    return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined
  }

  function fresh(): FormKey {
    const made = Buffer.from(random(VALUE_BYTES)).toString('base64url')
    return { csrf: csrfToken(made), cookies: [setCookie(name, made, { secure })] }
  }

  return {
    /** Answers with the token for a form; several pages of one browser share the cookie. */
    keyFor(cookieHeader: string | undefined): FormKey {
      const known = valueOf(cookieHeader)
      return known === undefined ? fresh() : { csrf: csrfToken(known), cookies: [] }
    },

    /** As `keyFor`, under a new value whatever the browser has: one that somebody planted ends there. */
    fresh,

    /**
     * Reads a form that was shown in this browser.
     *
     * @throws {Problem} `request.csrf`, `request.params`, `request.too_large`
     */
    async requireForm(request: Request): Promise<URLSearchParams> {
      requireOwnOrigin(request, publicUrl)
      const form = await readForm(request)
      const value = valueOf(request.headers.get('Cookie') ?? undefined)
      requireCsrf(form, value && csrfToken(value))
      return form
    },

    /** Once somebody has signed in it has done its work. */
    clear: () => clearCookie(name, secure),
  }
}
