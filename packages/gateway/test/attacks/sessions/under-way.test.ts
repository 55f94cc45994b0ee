import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { acceptInvitation, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { GENEROUS } from '../../e2e/journey/outside.ts'
import { openSchema } from '../../e2e/sign-in/postgres.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { csrfOf, send, type Got } from '../ground.ts'

/**
 * A link sets a new password because somebody else may know the one before. To hash one takes its time: whoever keeps that
 * busy sends a request ahead of the link's, which goes on behind it.
 */
const NEW = 'a lantern for the mountain pass'
const THIEFS = 'a crowbar for the mountain pass'
/** So many that what is sent behind them waits for its turn. */
const BUSY = 12
/** Of one name no more are looked at in a row. */
const AT_ONCE = 5

describe.each(['SQLite', 'PostgreSQL'])('while a link sets another password, on %s', (database) => {
  const open = new AsyncDisposableStack()
  const isMissing = database === 'PostgreSQL' && withoutPostgres
  let gate: Gate
  beforeAll(async () => {
    if (isMissing) return
    const schema = database === 'PostgreSQL' ? open.use(await openSchema()) : undefined
    const env = schema && { DATABASE_URL: schema.databaseUrl, SEKISHO_ROOT_KEY: randomBytes(32).toString('base64') }
    gate = open.use(
      await startGate({ config: { mcpServers: {}, limits: { perMinute: GENEROUS } }, ...(env && { env }) }),
    )
  })
  afterAll(() => open.disposeAsync())

  /** A form that only has to be sent. */
  async function fillIn(page: string, form: Readonly<Record<string, string>>, { cookie = '', action = page } = {}) {
    const shown = await send(new URL(page, gate.url), { headers: { cookie } })
    const own = cookie || (shown.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '')
    const filled = { form: { csrf: csrfOf(shown.text), ...form }, headers: { cookie: own } }
    return () => send(new URL(action, gate.url), filled)
  }
  const signInAs = (name: string) => fillIn('/sign-in', { way: 'password', name, password: PASSWORD })
  async function resetOf(user: string) {
    const { body } = await gate.admin('POST', `/admin/api/users/${user}/password-reset`, {})
    return fillIn(new URL((body as { url: string }).url).pathname, { password: NEW, again: NEW })
  }
  const keepBusy = () => Promise.all(Array.from({ length: BUSY }, (_, at) => signInAs(`nobody ${at}`)))

  async function isSignedIn({ headers }: Got): Promise<boolean> {
    const cookie = headers.getSetCookie().find((each) => /^sekisho=[^;]/.test(each))
    return cookie !== undefined && (await send(`${gate.url}/account`, { headers: { cookie } })).status === 200
  }
  async function opens(name: string, password: string): Promise<boolean> {
    const page = await createBrowser().open(`${gate.url}/sign-in`)
    return (await page.press(/^Sign in/, { name, password })).status === 200
  }

  test.skipIf(isMissing)(
    'who signs in with the one before is signed out with the others (CWE-362, CWE-613)',
    async () => {
      await acceptInvitation(await gate.inviteUser('ada'))
      const busy = await keepBusy()
      const thieves = await Promise.all(Array.from({ length: AT_ONCE }, () => signInAs('ada')))
      const reset = await resetOf('ada')
      const first = busy.map((each) => each())
      const [done, ...entered] = await Promise.all([reset(), ...thieves.map((each) => each())])
      await Promise.all(first)
      expect([done?.location?.pathname, await isSignedIn(done)]).toEqual(['/account', true])
      expect(await Promise.all(entered.map(isSignedIn))).toEqual(entered.map(() => false))
    },
  )

  test.skipIf(isMissing)('who knows the one before puts none in its place (CWE-362)', async () => {
    const invitation = await gate.inviteUser('bob')
    const cookie = await (await acceptInvitation(invitation)).cookies(invitation)
    const busy = await keepBusy()
    const fields = { current: PASSWORD, wanted: THIEFS, again: THIEFS }
    const change = await fillIn('/account/sessions', fields, { cookie, action: '/account/password' })
    const reset = await resetOf('bob')
    const first = busy.map((each) => each())
    const [done] = await Promise.all([reset(), change()])
    await Promise.all(first)
    expect(done.location?.pathname).toBe('/account')
    expect([await opens('bob', NEW), await opens('bob', THIEFS)]).toEqual([true, false])
  })
})
