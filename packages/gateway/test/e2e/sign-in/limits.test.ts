import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { childServer, doorOf } from '../place.ts'
import { send } from '../wire.ts'

/** How often one address may use what stands open to everybody: R1-08. */
const FEW = 2
/** Enough that one comes back every second. */
const TOKENS = 60
const CALLS = 3
const perMinute = { authorize: FEW, callback: FEW, token: TOKENS, register: FEW, revoke: FEW, signIn: FEW }
const config = { mcpServers: { own: childServer() }, limits: { perMinute, callsPerMinute: CALLS } }

let behindProxy: Gate
let alone: Gate
beforeAll(async () => {
  behindProxy = await startGate({ config: { ...config, trustProxy: ['loopback'] } })
  alone = await startGate({ config })
})
afterAll(() => Promise.all([behindProxy.stop(), alone.stop()]))

/** Each asks for something that is refused or comes to nothing: the limit counts what is asked, not what is got. */
const doors: Readonly<Record<string, (gate: Gate, from: string) => Promise<Response>>> = {
  authorize: (gate, from) => ask(gate, from, '/authorize?client_id=nobody'),
  callback: (gate, from) => ask(gate, from, '/callback?state=nothing'),
  register: (gate, from) => ask(gate, from, '/register', { body: '{}', type: 'application/json' }),
  revoke: (gate, from) => ask(gate, from, '/revoke', { body: 'client_id=nobody&token=none', type: FORM }),
  'sign-in': signIn,
  welcome: (gate, from) => ask(gate, from, `/welcome/${'x'.repeat(43)}`),
}
const FORM = 'application/x-www-form-urlencoded'

test.for(Object.entries(doors))(
  '%s: more is answered 429 and when to come back, to that address alone',
  async ([name, knock]) => {
    const [one, other] = [addressFor(name), addressFor(`not ${name}`)]
    const answers = await inTurn(FEW + 1, () => knock(behindProxy, one))
    expect(answers.map(({ status }) => status === 429)).toEqual([false, false, true])
    const wait = Number(answers[FEW]?.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60 / FEW)
    expect((await knock(behindProxy, other)).status).not.toBe(429)
  },
)

test('token: once the time has come, it is answered again', async () => {
  const form = { body: 'grant_type=refresh_token&client_id=nobody', type: FORM }
  const knock = () => ask(behindProxy, '192.0.2.99', '/token', form)
  let answer = await knock()
  for (let asked = 0; answer.status !== 429 && asked < 2 * TOKENS; asked++) answer = await knock()
  expect(answer.status).toBe(429)
  expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
  const seconds = Number(answer.headers.get('retry-after'))
  expect(seconds).toBe(1)
  await sleep(seconds * 1_000)
  expect((await knock()).status).toBe(401)
})

test('without a proxy that is trusted, what a caller says of its address counts for nothing', async () => {
  let from = 0
  const answers = await inTurn(FEW + 1, () => doors['register']?.(alone, `192.0.2.${++from}`) ?? Promise.reject())
  expect(answers.map(({ status }) => status === 429)).toEqual([false, false, true])
})

test('calls are counted by their user, whatever address they come from', async () => {
  const [ada, ben] = [await behindProxy.addUser('ada'), await behindProxy.addUser('ben')]
  let from = 0
  const call = ({ key }: { key: string }) =>
    send(
      doorOf(behindProxy, { key }),
      'tools/call',
      { name: 'own__whoami', arguments: {} },
      {
        headers: { 'X-Forwarded-For': `192.0.2.${++from}` },
      },
    )
  const replies = await inTurn(CALLS + 1, () => call(ada))
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 429])
  expect(Number(replies[CALLS]?.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await call(ben)).status).toBe(200)
})

/** An address of its own for everything that is tested: sign-in and welcome share one count. */
function addressFor(what: string): string {
  known.add(what)
  return `198.51.100.${[...known].indexOf(what) + 1}`
}

const known = new Set<string>()

interface Sent {
  readonly body: string
  readonly type: string
  readonly cookie?: string
}

function ask({ url }: Gate, from: string, path: string, sent?: Sent): Promise<Response> {
  const headers = { 'X-Forwarded-For': from, ...(sent && { 'Content-Type': sent.type, Cookie: sent.cookie ?? '' }) }
  const init = sent && { method: 'POST', body: sent.body }
  return fetch(`${url}${path}`, { ...init, redirect: 'manual', headers })
}

/** Tries a wrong password with a form as the page has it. */
async function signIn(gate: Gate, from: string): Promise<Response> {
  const page = await ask(gate, from, '/sign-in')
  const cookie = page.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
  const body = new URLSearchParams({ csrf, name: `nobody of ${from}`, password: 'not the password' }).toString()
  return ask(gate, from, '/sign-in', { body, type: FORM, cookie })
}

async function inTurn<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const done: T[] = []
  for (let time = 0; time < times; time++) done.push(await work())
  return done
}
