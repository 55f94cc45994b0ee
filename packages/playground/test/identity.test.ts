import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createIdentityEmulator } from '../src/identity/emulator.ts'
import { defaultClient } from '../src/identity/options.ts'

const GATE = 'http://localhost:7354'

/** Asks as a browser does that keeps its cookies, but goes nowhere by itself. */
function browserAt(url: string) {
  const cookies = new Map<string, string>()
  return async (path: string, form?: Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(new URL(path, url), {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return response
  }
}

test('its pages fit a phone, follow the dark mode, say that nothing is real, and run and load nothing', async () => {
  await using identity = await createIdentityEmulator({ clients: [defaultClient(GATE)] })
  const { url } = await identity.listen()
  const open = browserAt(url)
  const asked = new URLSearchParams({
    client_id: 'sekisho',
    redirect_uri: `${GATE}/sign-in/from/playground`,
    response_type: 'code',
    scope: 'openid',
    code_challenge: createHash('sha256').update('v'.repeat(64)).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const next = (response: Response) => response.headers.get('location') ?? ''
  const interaction = next(await open(`/auth?${asked.toString()}`))
  const signIn = await open(interaction)
  await open(next(await open(interaction, { user: 'ada' })))
  const pages = [signIn, await open('/session/end'), await open('/session/end/success')]
  for (const page of pages) {
    const text = await page.text()
    const style = /<style>(.*)<\/style>/s.exec(text)?.[1] ?? ''
    expect([page.status, text]).toEqual([
      200,
      expect.stringContaining('<meta name="viewport" content="width=device-width'),
    ])
    expect(style).toContain('color-scheme: light dark')
    expect(text).toContain('This is an emulation')
    const hash = createHash('sha256').update(style).digest('base64')
    expect(page.headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}'`)
  }
})
