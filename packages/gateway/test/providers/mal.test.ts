import { createMalEmulator, type MalEmulator } from '@sekisho/playground/mal'
import { requireUser } from '@sekisho/playground/mal/users'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { shippedDefinitions } from '../../src/providers/definitions.ts'
import { createTestClock, eachDatabase, type FreshDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { ada, createScene, session } from './scene.ts'

const HOUR = 3_600_000
const MONTH = 2_678_400_000

/** Signs in at the emulated MyAnimeList and presses a button, as a browser does; answers where it is sent. */
async function decide(authorize: URL, decision: 'allow' | 'cancel'): Promise<URL> {
  const post = (url: URL, fields: Record<string, string>, cookie = '') =>
    fetch(url, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(fields) })
  const { name, password } = requireUser('mika')
  const signedIn = await post(new URL('/login', authorize), { user_name: name, password, from: '/' })
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
  const decided = await post(authorize, { decision }, cookie)
  return new URL(decided.headers.get('location') ?? '', authorize)
}

/** A gate whose `myanimelist` is the definition that comes with it, at the emulator's address. */
async function openGate(
  database: FreshDatabase,
  mal: MalEmulator,
  clock: ReturnType<typeof createTestClock>,
  client = 0,
) {
  const { url } = await mal.listen()
  const { id, secret } = mal.clients[client] ?? { id: '', secret: undefined }
  const entry = {
    clientId: id,
    clientSecret: secret && { $env: 'MAL_SECRET' },
    authorizationUrl: `${url}/v1/oauth2/authorize`,
    tokenUrl: `${url}/v1/oauth2/token`,
    account: { url: `${url}/v2/users/@me`, name: 'name', id: 'id' },
  }
  const loaded = loadConfig({
    file: 'sekisho.jsonc',
    text: JSON.stringify({ providers: { myanimelist: entry } }),
    environment: { MAL_SECRET: secret },
    dataDirectory: '/data',
    definitions: shippedDefinitions,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const scene = await createScene(database, { providers: loaded.config.providers, clock })
  const link = { provider: 'myanimelist', name: 'MyAnimeList' }
  return {
    scene,
    link,
    async connect(decision: 'allow' | 'cancel' = 'allow') {
      const asked = await scene.connections.begin({ ...session, provider: 'myanimelist', next: '/account' })
      return scene.connections.finish({ session, address: await decide(asked, decision) })
    },
    use: async () => (await scene.connections.require(ada, link, 'mal')).reveal(),
    record: async () => (await scene.connections.list(ada.tenant, ada.userId))[0],
  }
}

eachDatabase((_name, openFresh) => {
  test.for([
    ['with a secret', 0],
    ['public', 1],
  ] as const)('MyAnimeList just works: %s', async ([, client]) => {
    await using database = await openFresh()
    const clock = createTestClock()
    await using mal = createMalEmulator({ clock })
    const { scene, link, connect, use, record } = await openGate(database, mal, clock, client)
    await using _ = scene
    await connect()
    expect(await record()).toMatchObject({ account: 'mika', status: 'connected', expiresAt: clock.now() + MONTH })
    const first = await use()
    clock.turn(MONTH - 3_600_000)
    expect(await use()).not.toBe(first)
    expect(await record()).toMatchObject({ refreshedAt: clock.now(), expiresAt: clock.now() + MONTH })
    expect(await scene.connections.test(ada, link, 'mal')).toEqual({ account: 'mika' })
  })

  test('what MyAnimeList has been seen to answer costs nobody their connection', async () => {
    await using database = await openFresh()
    const clock = createTestClock()
    await using mal = createMalEmulator({ clock })
    const { scene, connect, use, record } = await openGate(database, mal, clock)
    await using _ = scene
    expect(await codeOf(connect('cancel'))).toBe('connect.refused')
    mal.settings.accessTokenSeconds = HOUR / 1000
    await connect()
    const first = await use()
    clock.turn(HOUR * 0.9)
    for (const reply of ['html', 'error'] as const) {
      mal.settings.refreshReply = reply
      expect(await use()).toBe(first)
      clock.turn(60_000)
    }
    mal.settings.refreshReply = 'no_refresh_token'
    const second = await use()
    expect(second).not.toBe(first)
    mal.settings.refreshReply = 'ok'
    clock.turn(HOUR * 0.9)
    const third = await use()
    expect([first, second]).not.toContain(third)
    mal.revoke('mika')
    clock.turn(HOUR)
    expect(await codeOf(use())).toBe('connection.rejected')
    expect(await record()).toMatchObject({ status: 'rejected', failure: 'invalid_request' })
    await connect()
    expect(await use()).not.toBe(third)
  })
})
