import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { connectLegacy, connectModern } from '../../../../../scripts/lib/mcp-clients.ts'
import { signInClient } from '../../../../../scripts/lib/oauth-client.ts'
import { allowClient } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../journey/outside.ts'
import { heldBy, knock, letIn, openBrowserOf, REDIRECT, refresh } from './client.ts'

/** What ends by itself, and how clients go on: R1-06, R0-05. */
const SECONDS = 3
const eras = [
  ['2026-07-28', connectModern],
  ['2025-11-25', connectLegacy],
] as const

/** Access tokens that last for seconds, and refresh tokens that last. */
let brief: Outside
/** Both last for seconds. */
let briefest: Outside
beforeAll(async () => {
  const accessTokenMinutes = SECONDS / 60
  brief = await openOutside({ config: { oauth: { accessTokenMinutes } } })
  briefest = await openOutside({ config: { oauth: { accessTokenMinutes, refreshTokenDays: SECONDS / 86_400 } } })
})
afterAll(() => Promise.all([brief[Symbol.asyncDispose](), briefest[Symbol.asyncDispose]()]))

let people = 0
function newBrowser({ gate }: Outside): Promise<Browser> {
  return openBrowserOf(gate, `person${++people}`)
}

const untilExpired = () => sleep(SECONDS * 1_000 + 100)

test.concurrent.for(eras)(
  'a client of %s renews an expired access token by itself, and its user sees nothing',
  async ([_era, connect]) => {
    const serverUrl = `${brief.publicUrl}/mcp`
    const signingIn = await signInClient(serverUrl, await newBrowser(brief), { redirectUrl: REDIRECT })
    await using client = await connect(serverUrl, signingIn)
    const before = signingIn.held()?.access_token ?? ''
    await untilExpired()
    expect(await knock(brief.gate, before)).toBe(401)

    const { isError } = await client.call('sekisho_status')
    expect(isError).toBe(false)
    expect(signingIn.held()?.access_token).not.toBe(before)
    expect(signingIn.timesSent).toBe(1)
  },
)

test.concurrent.for(eras)('a client of %s that stayed away too long sends its user again', async ([_era, connect]) => {
  const serverUrl = `${briefest.publicUrl}/mcp`
  const browser = await newBrowser(briefest)
  const signingIn = await signInClient(serverUrl, browser, { redirectUrl: REDIRECT })
  await untilExpired()

  await expect(connect(serverUrl, signingIn)).rejects.toThrow(/[Uu]nauthorized/)
  expect(signingIn.timesSent).toBe(2)
  if (!signingIn.sentTo) throw new Error('the client sent its user nowhere')
  expect((await allowClient(browser, signingIn.sentTo, '')).searchParams.get('code')).toBeTruthy()
})

test('programs that share a refresh token and use it at once are all let in', async () => {
  const held = await letIn(brief.publicUrl, await newBrowser(brief))
  const answers = await Promise.all([refresh(brief.publicUrl, held), refresh(brief.publicUrl, held)])
  const renewed = answers.map((answer) => heldBy(held.clientId, answer))
  expect(new Set(renewed.map(({ refreshToken }) => refreshToken)).size).toBe(2)
  for (const { accessToken } of renewed) expect(await knock(brief.gate, accessToken)).toBe(200)
  const late = heldBy(held.clientId, await refresh(brief.publicUrl, held))
  expect(await knock(brief.gate, late.accessToken)).toBe(200)
})
