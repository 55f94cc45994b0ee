import { expect, test } from 'vitest'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { choosePassword } from '../../../../../scripts/lib/people.ts'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { referenceServer, tokenOf, until } from '../place.ts'
import { namesOf, textFrom } from '../wire.ts'
import { goOn, joinGate, linkFrom, OBSERVED, receivedBy, type Member } from './place.ts'

/**
 * A gate as a server of another one: a whole authorization server, registration and rotation included, on the other
 * side of discovery. R2-04, R4-21b–d.
 */
const TOOL = 'inner__stdio__get-env'
const GENEROUS = { authorize: 1_000, callback: 1_000, token: 1_000, register: 1_000, revoke: 1_000, signIn: 1_000 }

interface Gates extends AsyncDisposable {
  readonly inner: Gate
  readonly innerUrl: string
  readonly outer: Gate
  readonly outerUrl: string
}

/** The tokens of the inner gate are good for a minute; the time of both can be let pass. */
async function openGates(): Promise<Gates> {
  await using open = new AsyncDisposableStack()
  const [innerPort, outerPort] = [await freePort(), await freePort()]
  // Another host, since a browser's cookies do not tell ports apart.
  const [innerUrl, outerUrl] = [`http://127.0.0.1:${innerPort}`, `http://localhost:${outerPort}`]
  const env = { NODE_OPTIONS: OBSERVED }
  const limits = { perMinute: GENEROUS }
  const inner = open.use(
    await startGate({
      port: innerPort,
      env,
      config: {
        publicUrl: innerUrl,
        limits,
        oauth: { accessTokenMinutes: 1 },
        mcpServers: { stdio: referenceServer({ TOKEN: { $userToken: '{{token}}' } }) },
      },
    }),
  )
  const outer = open.use(
    await startGate({
      port: outerPort,
      env,
      config: { limits, mcpServers: { inner: { url: `${innerUrl}/mcp`, oauth: true } } },
    }),
  )
  const opened = open.move()
  return { inner, innerUrl, outer, outerUrl, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Somebody who is known to both gates, by another name to each, and signed in to both in one browser. */
async function joinBoth(
  { inner, outer, outerUrl }: Gates,
  name: string,
): Promise<Member & { readonly secret: string }> {
  const inside = `${name}-inside`
  const secret = tokenOf(inside, 'stdio')
  const member = await joinGate(outer, outerUrl, name)
  await choosePassword(member.browser, await inner.inviteUser(inside))
  await inner.setToken(inside, 'stdio', secret)
  return { ...member, secret }
}

async function connect(browser: Browser, link: string): Promise<void> {
  const question = await goOn(browser, link)
  expect(question.text).toMatch(/Let Sekisho in\?/)
  expect((await question.press(/^Allow/)).text).toMatch(/Connected/)
}

/** Takes back what the outer gate was allowed, on the page of the inner one. */
async function revoke({ browser }: Member, innerUrl: string): Promise<void> {
  const clients = await browser.open(`${innerUrl}/account/clients`)
  expect(clients.text).toContain('Sekisho')
  await clients.press(/^Revoke/)
}

/** Lets three quarters of a minute pass, for one of the gates only. */
async function letPass(gate: Gate): Promise<void> {
  const passed = () => gate.log().match(/^passed /gm)?.length ?? 0
  const before = passed()
  process.kill(gate.pid, 'SIGUSR2')
  await until(() => passed() > before)
}

/** What the inner gate was shown, each once: nobody but the outer one is its client. */
function tokensAt({ inner }: Gates): string[] {
  return receivedBy(inner.log())
}

test('a gate connects to another by discovery, renews unseen, and is told when its client was revoked', async () => {
  await using gates = await openGates()
  const { inner, innerUrl, outer } = gates
  const [ada, ben] = [await joinBoth(gates, 'ada'), await joinBoth(gates, 'ben')]

  // 1. Each connects their own account, and each calls with it.
  await connect(ada.browser, await linkFrom(ada.door, TOOL))
  await connect(ben.browser, await linkFrom(ben.door, TOOL))
  expect(await namesOf(ada.door)).toContain(TOOL)
  expect(await textFrom(ada.door, TOOL)).toContain(ada.secret)
  const bens = await textFrom(ben.door, TOOL)
  expect(bens).toContain(ben.secret)
  expect(bens).not.toContain(ada.secret)
  const first = tokensAt(gates)
  expect(first).toHaveLength(2)

  // 2. Time passes here: the token is renewed before it ends.
  await letPass(outer)
  expect(await textFrom(ada.door, TOOL)).toContain(ada.secret)
  const second = tokensAt(gates)
  expect(second).toHaveLength(3)

  // 3. Time passes there: the token has ended before anybody here could know, and the call is made again with another.
  await letPass(inner)
  await letPass(inner)
  expect(await textFrom(ada.door, TOOL)).toContain(ada.secret)
  expect(tokensAt(gates)).toHaveLength(4)

  // 4. Revoked there: the user is told here, by the same call, and connects again. Nobody else notices.
  await revoke(ada, innerUrl)
  await connect(ada.browser, await linkFrom(ada.door, TOOL))
  expect(await textFrom(ada.door, TOOL)).toContain(ada.secret)
  expect(await textFrom(ben.door, TOOL)).toContain(ben.secret)

  // 5. Revoked when it was to be renewed: told as well, since it is the renewal that is refused.
  await revoke(ben, innerUrl)
  await letPass(outer)
  await letPass(outer)
  await connect(ben.browser, await linkFrom(ben.door, TOOL))
  expect(await textFrom(ben.door, TOOL)).toContain(ben.secret)

  // 6. What opens the outer gate was never shown to the inner one.
  for (const { door } of [ada, ben]) expect(tokensAt(gates)).not.toContain(door.key)
})
