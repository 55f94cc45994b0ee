import { expect, test } from 'vitest'
import { createBrowser, type Browser, type Page } from '../../../../scripts/lib/browser.ts'
import { PASSWORD } from '../../../../scripts/lib/people.ts'
import { begin, poll, registerTerminal } from '../e2e/sign-in/terminal.ts'
import { csrfOf, send } from '../attacks/ground.ts'
import { openHouse } from './federated/house.ts'

/** The pages on which somebody answers a terminal, with the authorization server that it asked: RFC 8628 §3.3. */
const KNOWN = { clientId: 'known', name: 'Known <i>app</i>', redirectUris: ['https://app.example/cb'] }

async function openScene(config: object = {}) {
  const house = await openHouse({ config: { oauth: { clients: [KNOWN] }, ...config } })
  const at = { publicUrl: house.url }
  const enter = async (browser: Browser, code: string): Promise<Page> =>
    (await browser.open(`${house.url}/device`)).press(/^Continue/, { code })
  return { house, at, enter, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

test('whoever is not signed in does that first, and finds the code they came with', async () => {
  await using scene = await openScene()
  const { house, at } = scene
  await house.person('ada')
  const { link, userCode } = await begin(at, await registerTerminal(at))
  const browser = createBrowser()
  const asked = await browser.open(link)
  expect(asked.url).toBe(`${house.url}/sign-in?next=${encodeURIComponent(`/device?user_code=${userCode}`)}`)
  const shown = await asked.press(/^Sign in$/, { name: 'ada', password: PASSWORD })
  expect([shown.url, shown.html.includes(`value="${userCode}"`)]).toEqual([link, true])
  const long = await createBrowser().open(`${house.url}/device?user_code=${'x'.repeat(300)}`)
  expect(new URL(long.url).searchParams.get('next')).toBe(`/device?user_code=${'x'.repeat(20)}`)
  expect((await createBrowser().open(`${house.url}/device`)).url).toBe(`${house.url}/sign-in?next=%2Fdevice`)
})

test('the page says what asks, from where and for what, and refusing ends it', async () => {
  await using scene = await openScene()
  const { house, at, enter } = scene
  const { browser, user } = await house.person('ada')
  const clientId = await registerTerminal(at, 'A terminal')
  const { userCode, deviceCode } = await begin(at, clientId)
  const page = await enter(browser, userCode.toLowerCase().replace('-', ' '))
  expect(page.status).toBe(200)
  for (const said of ['A terminal', userCode, '127.0.0.1', 'ada']) expect(page.text).toContain(said)
  expect(page.text).toMatch(/Go on only if you have just started this yourself/)
  const done = await page.press(/^Refuse/)
  expect(done.url).toBe(`${house.url}/device?done=refused`)
  expect((await poll(at, clientId, deviceCode)).body['error']).toBe('access_denied')
  const told = { kind: 'consent.refused', user: user.id, client: clientId, clientName: 'A terminal' }
  expect((await house.audited()).at(-1)).toMatchObject(told)
})

test('a code that is allowed lets the terminal in for its user, once', async () => {
  await using scene = await openScene({ mcpServers: { files: { command: 'true', description: 'Your files' } } })
  const { house, at, enter } = scene
  const { browser, user } = await house.person('ada')
  const clientId = await registerTerminal(at, 'A terminal')
  const { userCode, deviceCode } = await begin(at, clientId)
  const page = await enter(browser, userCode)
  expect(page.text).toMatch(/Use every server of this gate/)
  expect(page.text).toMatch(/files.*Your files/)
  const done = await page.press(/^The code is the same/)
  expect([done.url, done.title]).toEqual([`${house.url}/device?done=allowed`, expect.stringContaining('let in')])
  expect(done.text).toMatch(/Go back to your terminal/)
  expect((await done.follow(/See the clients/)).text).toContain('A terminal')
  const told = { kind: 'consent.given', user: user.id, client: clientId, resources: `${house.url}/mcp` }
  expect((await house.audited()).filter(({ kind }) => String(kind).startsWith('consent'))).toMatchObject([told])
  expect((await poll(at, clientId, deviceCode)).body['access_token']).toEqual(expect.any(String))
  expect((await enter(browser, userCode)).status).toBe(404)
})

test('a client that everybody knows is told apart from whatever bears its name', async () => {
  await using scene = await openScene()
  const { house, at, enter } = scene
  const { browser } = await house.person('ada')
  const known = await enter(browser, (await begin(at, 'known')).userCode)
  expect(known.text).toContain('Known <i>app</i>')
  expect(known.html).not.toContain('<i>app')
  expect(known.text).toMatch(/Only the code tells/)
  const stranger = await enter(browser, (await begin(at, await registerTerminal(at, 'Known app'))).userCode)
  expect(stranger.text).not.toMatch(/Only the code tells/)
})

test('a wrong code is shown again with what is wrong, and after five of them one waits', async () => {
  await using scene = await openScene()
  const { house, at, enter } = scene
  const { browser } = await house.person('ada')
  const wrong = await enter(browser, 'BBBB-BBBB')
  expect([wrong.status, wrong.html.includes('value="BBBB-BBBB"'), wrong.title]).toEqual([
    404,
    true,
    expect.stringContaining('Let a terminal in'),
  ])
  expect(wrong.html).toMatch(/class="[^"]*error/)
  for (const code of ['BBBB-BBBC', 'BBBB-BBBD', 'BBBB-BBBF', 'BBBB-BBBG']) await enter(browser, code)
  const { userCode } = await begin(at, await registerTerminal(at))
  const held = await enter(browser, userCode)
  expect([held.status, held.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)])
  const { browser: other } = await house.person('ben')
  expect((await enter(other, userCode)).status, 'nobody else waits').toBe(200)
  house.clock.turn(120_000)
  expect((await enter(browser, (await begin(at, await registerTerminal(at))).userCode)).status).toBe(200)
})

test('right codes hold nobody up, however many', async () => {
  await using scene = await openScene()
  const { house, at, enter } = scene
  const { browser } = await house.person('ada')
  const clientId = await registerTerminal(at)
  for (let count = 0; count < 7; count++) {
    expect((await enter(browser, (await begin(at, clientId)).userCode)).status).toBe(200)
  }
})

test('an answer is taken from the browser that was asked, for the code that it was asked about', async () => {
  await using scene = await openScene()
  const { house, at, enter } = scene
  const { browser } = await house.person('ada')
  const clientId = await registerTerminal(at)
  const [one, two] = [await begin(at, clientId), await begin(at, clientId)]
  const page = await enter(browser, one.userCode)
  const cookie = await browser.cookies(house.url)
  const answer = (form: Record<string, string>, headers: Record<string, string> = { cookie }) =>
    send(`${house.url}/device/answer`, { form, headers: { origin: house.url, ...headers } })
  const csrf = csrfOf(page.html)
  const form = { code: one.userCode, decision: 'allow', csrf }
  expect((await answer({ ...form, code: two.userCode })).status).toBe(403)
  expect((await answer({ ...form, csrf: csrfOf((await browser.open(`${house.url}/device`)).html) })).status).toBe(403)
  expect((await answer(form, { cookie, origin: 'https://evil.example' })).status).toBe(403)
  const signedOut = await answer(form, {})
  expect([signedOut.status, signedOut.location?.pathname]).toEqual([303, '/device'])
  expect((await poll(at, clientId, one.deviceCode)).body['error']).toBe('authorization_pending')
  expect((await answer(form)).location?.search).toBe('?done=allowed')
  // Answered once, it is nobody's any more.
  expect((await answer(form)).status).toBe(404)
  const foreign = await send(`${house.url}/device`, {
    form: { code: two.userCode, csrf: csrfOf((await browser.open(`${house.url}/device`)).html) },
    headers: { cookie, origin: 'https://evil.example' },
  })
  expect(foreign.status).toBe(403)
  expect((await browser.open(`${house.url}/device?done=else`)).title).toContain('Let a terminal in')
  expect((await browser.open(`${house.url}/device?done=refused`)).text).toMatch(/It was told that you refused/)
})
