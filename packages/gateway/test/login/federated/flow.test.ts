import { expect, test } from 'vitest'
import { systemRandom } from '../../../src/base/ids.ts'
import { DEFAULT_TENANT } from '../../../src/identity/tenants.ts'
import { createFlows } from '../../../src/login/federated/flow.ts'
import { createSpent } from '../../../src/login/spent.ts'
import { openHouse } from './house.ts'

/** What a browser keeps between a sign-in that was begun elsewhere and its answer: RFC 9700 §4.7.1. */
const CORP = { id: 'corp', tenant: DEFAULT_TENANT }
const MINUTE = 60_000

async function openScene(publicUrl = 'https://gate.example.com') {
  const house = await openHouse()
  const { sealer, storage, clock } = house
  const flows = createFlows({ sealer, spent: createSpent({ storage, clock }), clock, random: systemRandom, publicUrl })
  return { flows, clock, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

const sentBack = (cookie: string) => cookie.split(';')[0] ?? ''

test('is kept for ten minutes, out of reach of scripts, and by https alone where the gate is', async () => {
  await using scene = await openScene()
  const { cookie } = await scene.flows.open(CORP, {})
  expect(cookie).toMatch(/^__Host-sekisho-with=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/)
  expect(scene.flows.clear()).toMatch(/^__Host-sekisho-with=;.* Max-Age=0/)
  await using inTheClear = await openScene('http://localhost:7354')
  expect((await inTheClear.flows.open(CORP, {})).cookie).toMatch(/^sekisho-with=[\w-]+;(?!.*Secure)/)
})

test('holds everything that the answer is held against, new each time', async () => {
  await using scene = await openScene()
  const [one, two] = [await scene.flows.open(CORP, {}), await scene.flows.open(CORP, { again: true })]
  for (const key of ['state', 'nonce', 'codeVerifier'] as const) expect(one.asked[key]).not.toBe(two.asked[key])
  expect([one.asked.again, two.asked.again]).toEqual([false, true])
  expect(one.asked.redirectUri).toBe('https://gate.example.com/sign-in/from/corp')
  expect([one.asked.state.length, one.asked.codeVerifier.length]).toEqual([43, 64])
  const { state } = two.asked
  const taken = await scene.flows.take(CORP, { state, cookieHeader: sentBack(two.cookie) })
  expect(taken).toEqual({ asked: two.asked, next: undefined, linkTo: undefined })
})

test('says where somebody was going, to their own browser and nobody else', async () => {
  await using scene = await openScene()
  const { asked, cookie } = await scene.flows.open(CORP, { next: '/account/clients', linkTo: 'session' })
  const cookieHeader = sentBack(cookie)
  expect(await scene.flows.whereTo(CORP, cookieHeader)).toBe('/account/clients')
  for (const none of [undefined, '', 'other=1', '__Host-sekisho-with=', '__Host-sekisho-with=AAAA'])
    expect(await scene.flows.whereTo(CORP, none)).toBeUndefined()
  expect(await scene.flows.take(CORP, { state: asked.state, cookieHeader })).toMatchObject({
    next: '/account/clients',
    linkTo: 'session',
  })
})

test('is good for one answer, of its provider, within ten minutes; what is wrong is said to the operator', async () => {
  await using scene = await openScene()
  const { flows, clock } = scene
  const { asked, cookie } = await flows.open(CORP, {})
  const [{ state }, cookieHeader] = [asked, sentBack(cookie)]
  const reasonOf = (at: typeof CORP, came: { state: string | null; cookieHeader: string | undefined }) =>
    flows.take(at, came).then(
      () => 'taken',
      ({ code, details }) => `${code}: ${details.reason}`,
    )
  expect(await reasonOf(CORP, { state, cookieHeader: undefined })).toBe('federated.state: no cookie')
  expect(await reasonOf(CORP, { state: null, cookieHeader })).toBe('federated.state: another sign-in')
  expect(await reasonOf(CORP, { state: `${state}x`, cookieHeader })).toBe('federated.state: another sign-in')
  expect(await reasonOf({ ...CORP, id: 'other' }, { state, cookieHeader })).toBe('federated.state: another sign-in')
  clock.turn(10 * MINUTE)
  expect(await reasonOf(CORP, { state, cookieHeader })).toBe('taken')
  expect(await reasonOf(CORP, { state, cookieHeader })).toBe('federated.state: answered before')
  const late = await flows.open(CORP, {})
  clock.turn(10 * MINUTE + 1)
  const came = { state: late.asked.state, cookieHeader: sentBack(late.cookie) }
  expect(await reasonOf(CORP, came)).toBe('federated.state: too late')
})
