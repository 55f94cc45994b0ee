import { expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { beAt, openHouse, signInAs, type House } from './house.ts'

/** What anybody may ask for at the addresses of a provider, and how often. */
const openLimited = (perMinute: object) =>
  openHouse({ corp: { createUsers: true }, config: { limits: { perMinute: { signIn: 100, ...perMinute } } } })

const statusesAt = async (house: House, path: string, times: number, init: RequestInit = {}) => {
  const asked = Array.from({ length: times }, () => fetch(`${house.url}${path}`, { redirect: 'manual', ...init }))
  return (await Promise.all(asked)).map(({ status }) => status).toSorted((one, other) => one - other)
}

test('sign-ins are begun as often as one may try to sign in', async () => {
  await using house = await openLimited({ signIn: 1 })
  const page = await createBrowser().open(`${house.url}/sign-in?next=%2Faccount%2Fclients`)
  expect((await page.press(/Continue with Corp/)).url.startsWith(house.issuer)).toBe(true)
  const held = await page.press(/Continue with Corp/)
  expect([held.status, held.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)])
  expect(held.html).toContain('/sign-in?next=%2Faccount%2Fclients')
})

test('answers, and sign-outs, are taken as often as `callback` says', async () => {
  await using house = await openLimited({ callback: 2 })
  expect(await statusesAt(house, '/sign-in/from/corp', 3)).toEqual([400, 400, 429])
  await using other = await openLimited({ callback: 2 })
  expect(await statusesAt(other, '/sign-in/out/corp', 3)).toEqual([303, 303, 429])
})

test('logouts are taken as often as `logout` says', async () => {
  await using house = await openLimited({ logout: 2 })
  const init = { method: 'POST', body: new URLSearchParams({ logout_token: 'x' }) }
  expect(await statusesAt(house, '/sign-in/logout/corp', 3, init)).toEqual([400, 400, 429])
})

test('what was begun is forgotten once it was answered, well or not; what belongs to nothing is left alone', async () => {
  await using house = await openHouse()
  const browser = createBrowser({ stopAt: (url) => url.pathname.startsWith('/sign-in/from/') })
  const asked = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
  const { url: answer } = await beAt(asked, 'ben')
  const cookie = await browser.cookies(house.url)
  const cookiesOf = async (url: string) =>
    (await fetch(url, { redirect: 'manual', headers: { cookie } })).headers.getSetCookie().join()
  expect(await cookiesOf(`${house.url}/sign-in/from/corp?code=x&state=y`)).toBe('')
  expect(await cookiesOf(answer)).toMatch(/^sekisho-with=;.*Max-Age=0/)

  await using open = await openHouse({ corp: { createUsers: true } })
  const came = await signInAs(open, 'ben')
  expect(await came.browser.cookies(open.url)).not.toMatch(/sekisho-with=|form/)
})
