import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createIdentityEmulator } from '@sekisho/playground/identity'
import { createBrowser, type Browser, type Page } from '../../../../../scripts/lib/browser.ts'
import { choosePassword, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { systemRandom } from '../../../src/base/ids.ts'
import { createCalls } from '../../../src/compose-calls.ts'
import { openKept } from '../../../src/compose-kept.ts'
import { createPageRoutes } from '../../../src/compose-pages.ts'
import { openPeople } from '../../../src/compose-people.ts'
import { requireConfig } from '../../../src/config/load.ts'
import { createEdge } from '../../../src/http/edge.ts'
import { createRouter } from '../../../src/http/router.ts'
import type { Role } from '../../../src/identity/principal.ts'
import { createTenants, DEFAULT_TENANT } from '../../../src/identity/tenants.ts'
import { showProblem } from '../../../src/pages/problem.ts'
import { createTestClock, newDirectory, quiet } from '../../stores/databases.ts'

const SECRET = 'secret-of-the-gate-at-the-provider'

export interface HouseOptions {
  /** Joined to the entry of the emulated provider. */
  readonly corp?: object
  /** Entries beside it. */
  readonly others?: Readonly<Record<string, object>>
  /** Joined to the configuration. */
  readonly config?: object
  readonly environment?: Readonly<Record<string, string>>
}

/** Every page of a gate with its real rooms, and an identity provider it knows as `corp`, each on a socket of its own. */
export async function openHouse({ corp = {}, others = {}, config: more = {}, environment = {} }: HouseOptions = {}) {
  await using open = new AsyncDisposableStack()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const { port } = server.address() as AddressInfo
  const url = `http://localhost:${port}`
  const callback = `${url}/sign-in/from/corp`
  const client = { id: 'gate', secret: SECRET, name: 'Gate', redirectUris: [callback] }
  const told = {
    ...client,
    backchannelLogoutUri: `${url}/sign-in/logout/corp`,
    postLogoutRedirectUris: [`${url}/sign-in`],
  }
  const stranger = { id: 'stranger', secret: 'other', name: 'Another', redirectUris: ['http://127.0.0.1:1/callback'] }
  const idp = open.use(await createIdentityEmulator({ clients: [told, stranger] }))
  const { url: issuer } = await idp.listen()

  const { dataDir } = newDirectory()
  const known = { clientId: 'gate', clientSecret: { $env: 'CORP_SECRET' } }
  const entry = { label: 'Corp', issuer, ...known, scopes: ['openid', 'profile', 'email', 'groups'], ...corp }
  const { config } = requireConfig({
    file: join(dataDir, 'sekisho.jsonc'),
    text: JSON.stringify({
      publicUrl: url,
      limits: { perMinute: GENEROUS },
      signIn: { with: { corp: entry, ...others } },
      ...more,
    }),
    environment: { CORP_SECRET: SECRET, ...environment },
    dataDirectory: dataDir,
  })
  const clock = createTestClock(Date.now())
  const world = { clock, random: systemRandom, log: quiet, environment: {}, builtins: {} }
  const kept = await openKept(config, world)
  for (const { name } of config.tenants) await createTenants({ storage: kept.storage, clock }).ensure(name)
  const people = await openPeople(config, world, kept)
  const calls = await createCalls(config, world, { ...kept, ...people })
  open.defer(async () => {
    calls.stop()
    for (const close of [...Object.values(calls.closing), ...Object.values(people.closers)]) await close()
    await kept.vault.close()
    await kept.audit.close()
    await kept.shared.close()
    await kept.storage.close()
  })
  const failures: string[] = []
  const handle = createRouter({
    routes: createPageRoutes(config, world, { ...kept, ...people, ...calls }, (work) => work),
    checkEdge: createEdge({ ...config, ...config.listen }),
    isStopping: () => false,
    newRequestId: kept.newRequestId,
    onFailure: ({ code }) => void failures.push(code),
    showPage: (failure, requestId) => showProblem(failure, { requestId }),
  })
  server.on('request', handle)

  /** Invites somebody, who chooses a password in a browser of their own. */
  async function person(name: string, role: Role = 'member', tenant = DEFAULT_TENANT) {
    const user = await people.users.add(tenant, { name, role })
    const { url: link } = await people.login.invitations.create(tenant, user.id)
    const browser = createBrowser()
    await choosePassword(browser, link.reveal())
    return { user, browser }
  }

  async function audited(): Promise<readonly Record<string, unknown>[]> {
    await kept.audit.flush()
    const rows = await kept.storage.for(DEFAULT_TENANT).selectFrom('audit').select('entry').orderBy('seq').execute()
    return rows.map(({ entry: text }) => JSON.parse(text))
  }

  const opened = open.move()
  return {
    url,
    issuer,
    callback,
    idp,
    clock,
    config,
    storage: kept.storage,
    metrics: kept.metrics,
    users: people.users,
    federated: people.federated,
    person,
    audited,
    /** Who is signed in in a browser, as the page of their account has it; nobody where it leads to signing in. */
    async whoIs(browser: Browser): Promise<string | undefined> {
      const page = await browser.open(`${url}/account`)
      return page.url.startsWith(`${url}/account`) ? /class="who">([^<]*)</.exec(page.html)?.[1] : undefined
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
export type House = Awaited<ReturnType<typeof openHouse>>

const GENEROUS = { authorize: 1_000, callback: 1_000, token: 1_000, signIn: 1_000, logout: 1_000 }

/** Goes to the provider from the page where people sign in, is somebody there, and comes back. */
export async function signInAs(
  house: House,
  username: string,
  { browser = createBrowser(), next = '' } = {},
): Promise<Came> {
  const start = await browser.open(`${house.url}/sign-in${next && `?next=${encodeURIComponent(next)}`}`)
  return { browser, page: await beAt(await start.press(/Continue with Corp/), username) }
}

interface Came {
  readonly browser: Browser
  readonly page: Page
}

/** Chooses somebody on the provider's page, where it asks. */
export async function beAt(page: Page, username: string): Promise<Page> {
  const button = new RegExp(`^Sign in as ${username}`, 'i')
  return page.has(button) ? page.press(button) : page
}

/** Signs in with name and password. */
export async function signInWithPassword(house: House, name: string, browser = createBrowser()): Promise<Browser> {
  await (await browser.open(`${house.url}/sign-in?again=`)).press(/^Sign in$/, { name, password: PASSWORD })
  return browser
}

/** Links the account that somebody has at the provider to the user of a browser. */
export async function linkTo(house: House, browser: Browser, username: string): Promise<Page> {
  return beAt(await (await browser.open(`${house.url}/account/linked`)).press(/^Link Corp/), username)
}
