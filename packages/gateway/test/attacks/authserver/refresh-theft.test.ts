import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { enter, knock, letIn, refresh, register, send, tokensOf, withinASecond, type LetIn } from '../ground.ts'

/** R1-11, RFC 9700 §4.14, OAuth 2.1 §4.3.1: what a stolen refresh token is worth. */
let outside: Outside
let browser: Browser
let mcp: string
beforeAll(async () => {
  outside = await openOutside()
  browser = await enter(outside, 'ada')
  mcp = `${outside.publicUrl}/mcp`
})
afterAll(() => outside[Symbol.asyncDispose]())

const renew = async ({ clientId }: LetIn, refreshToken: string) =>
  tokensOf(await refresh(outside, clientId, refreshToken))

async function expectDead({ clientId }: LetIn, access: readonly string[], refreshTokens: readonly string[]) {
  for (const token of access) expect(await withinASecond(async () => (await knock(mcp, token)) === 401)).toBe(true)
  for (const token of refreshTokens) {
    const { status, body } = await refresh(outside, clientId, token)
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
  }
}

/** RFC 9700 §4.14.2: the family dies with the first sign of theft, in the thief’s hands and in the owner’s. */
test('a refresh token that comes back after its successor was used ends the family, cached access tokens too (RFC 9700 §4.14)', async () => {
  const first = await letIn(outside, browser)
  const second = await renew(first, first.refreshToken)
  const third = await renew(first, second.refreshToken)
  for (const { accessToken } of [first, second, third]) expect(await knock(mcp, accessToken)).toBe(200)

  const stolen = await refresh(outside, first.clientId, first.refreshToken)
  expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  const all = [first, second, third]
  await expectDead(
    first,
    all.map((each) => each.accessToken),
    all.map((each) => each.refreshToken),
  )
})

/** The grace is for an answer that was lost, not for two that live side by side. */
test('of a thief and an owner who both renewed within the grace, the second to go on ends the family', async () => {
  const first = await letIn(outside, browser)
  const thief = await renew(first, first.refreshToken)
  const owner = await renew(first, first.refreshToken)
  const further = await renew(first, thief.refreshToken)
  for (const { accessToken } of [thief, owner, further]) expect(await knock(mcp, accessToken)).toBe(200)

  const { status, body } = await refresh(outside, first.clientId, owner.refreshToken)
  expect([status, body['error']]).toEqual([400, 'invalid_grant'])
  await expectDead(
    first,
    [first, thief, owner, further].map((each) => each.accessToken),
    [first, thief, owner, further].map((each) => each.refreshToken),
  )
})

/** The same at one moment, where neither has gone before the other. */
test('of many who renew with two successors at once, no two chains live on', async () => {
  const first = await letIn(outside, browser)
  const thief = await renew(first, first.refreshToken)
  const owner = await renew(first, first.refreshToken)
  const answers = await Promise.all(
    [thief, owner].map(({ refreshToken }) => refresh(outside, first.clientId, refreshToken)),
  )
  const going = answers.filter(({ status }) => status === 200).map(tokensOf)
  expect(going.length).toBeLessThanOrEqual(1)
  await expectDead(
    first,
    going.map((each) => each.accessToken),
    going.map((each) => each.refreshToken),
  )
})

/** RFC 6749 §10.4, RFC 9700 §2.2.2: it is bound to its client. */
test('another client’s refresh token renews nothing and is revoked by nobody else', async () => {
  const mine = await letIn(outside, browser)
  const thief = await register(outside)
  const tried = await refresh(outside, thief, mine.refreshToken)
  expect(tried).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  const form = { token: mine.accessToken, client_id: thief }
  await send(`${outside.publicUrl}/revoke`, { form })
  expect(await knock(mcp, mine.accessToken)).toBe(200)
  expect((await refresh(outside, mine.clientId, mine.refreshToken)).status).toBe(200)
})

/** One device’s loss is not another’s: each sign-in is a family of its own. */
test('the end of one family leaves the user’s others alone', async () => {
  const [lost, kept] = [await letIn(outside, browser), await letIn(outside, browser)]
  const second = await renew(lost, lost.refreshToken)
  await renew(lost, second.refreshToken)
  await refresh(outside, lost.clientId, lost.refreshToken)
  await expectDead(lost, [lost.accessToken], [])
  expect(await knock(mcp, kept.accessToken)).toBe(200)
  await renew(kept, kept.refreshToken)
})

/** RFC 6749 §1.5, RFC 6750: a refresh token is for the authorization server alone. */
test('a refresh token opens no endpoint, and an access token renews nothing', async () => {
  const { clientId, accessToken, refreshToken } = await letIn(outside, browser)
  expect(await knock(mcp, refreshToken)).toBe(401)
  expect((await refresh(outside, clientId, accessToken)).body).toMatchObject({ error: 'invalid_grant' })
})
