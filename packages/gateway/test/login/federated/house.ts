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
  /** Further entries of the same provider, each an application of its own there unless its `clientId` says otherwise. */
  readonly also?: Readonly<Record<string, object>>
  /** Entries beside them. */
  readonly others?: Readonly<Record<string, object>>
  /** Joined to the configuration. */
  readonly config?: object
  readonly environment?: Readonly<Record<string, string>>
}

/** Every page of a gate with its real rooms, and an identity provider it knows as `corp`, each on a socket of its own. */
export async function openHouse(options: HouseOptions = {}) {
  const { corp = {}, also = {}, others = {}, config: more = {}, environment = {} } = options
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
  const applications = Map.groupBy(
    [{ id: 'corp', clientId: 'gate' }, ...Object.entries(also).map(([id, each]) => ({ id, clientId: id, ...each }))],
    ({ clientId }) => clientId,
  )
  const told = [...applications].map(([id, entries]) => ({
    id,
    secret: SECRET,
    name: 'Gate',
    redirectUris: entries.map((entry) => `${url}/sign-in/from/${entry.id}`),
    backchannelLogoutUri: `${url}/sign-in/logout/${entries[0]?.id}`,
    postLogoutRedirectUris: [`${url}/sign-in`],
  }))
  const stranger = { id: 'stranger', secret: 'other', name: 'Another', redirectUris: ['http://127.0.0.1:1/callback'] }
  const idp = open.use(await createIdentityEmulator({ clients: [...told, stranger] }))
  const { url: issuer } = await idp.listen()

  const { dataDir } = newDirectory()
  const known = { issuer, clientSecret: { $env: 'CORP_SECRET' }, scopes: ['openid', 'profile', 'email', 'groups'] }
  const entries = Object.entries(also).map(([id, each]) => [id, { clientId: id, ...known, ...each }])
  const { config } = requireConfig({
    file: join(dataDir, 'sekisho.jsonc'),
    text: JSON.stringify({
      publicUrl: url,
      limits: { perMinute: GENEROUS },
      signIn: {
        with: {
          corp: { label: 'Corp', clientId: 'gate', ...known, ...corp },
          ...Object.fromEntries(entries),
          ...others,
        },
      },
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
    const { user, url: link } = await invite(name, tenant, role)
    const browser = createBrowser()
    await choosePassword(browser, link.reveal())
    return { user, browser }
  }

  async function invite(name: string, tenant = DEFAULT_TENANT, role: Role = 'member') {
    const user = await people.users.add(tenant, { name, role })
    return { user, ...(await people.login.invitations.create(tenant, user.id)) }
  }

  async function audited(tenant = DEFAULT_TENANT): Promise<readonly Record<string, unknown>[]> {
    await kept.audit.flush()
    const rows = await kept.storage.for(tenant).selectFrom('audit').select('entry').orderBy('seq').execute()
    return rows.map(({ entry: text }) => JSON.parse(text))
  }

  const opened = open.move()
  return {
    url,
    issuer,
    callback: `${url}/sign-in/from/corp`,
    idp,
    clock,
    config,
    storage: kept.storage,
    sealer: kept.sealer,
    metrics: kept.metrics,
    users: people.users,
    federated: people.federated,
    person,
    /** Makes somebody, and the link that lets them in. */
    invite,
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

const GENEROUS = { authorize: 1_000, callback: 1_000, token: 1_000, device: 1_000, signIn: 1_000, logout: 1_000 }

/** Goes to the provider from the page where people sign in, is somebody there, and comes back. */
export async function signInAs(
  house: House,
  username: string,
  { browser = createBrowser(), next = '', with: label = 'Corp' } = {},
): Promise<Came> {
  const start = await browser.open(`${house.url}/sign-in${next && `?next=${encodeURIComponent(next)}`}`)
  return { browser, page: await beAt(await start.press(new RegExp(`Continue with ${label}`)), username) }
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
export async function linkTo(house: House, browser: Browser, username: string, label = 'Corp'): Promise<Page> {
  const page = await browser.open(`${house.url}/account/linked`)
  return beAt(await page.press(new RegExp(`^Link ${label}`)), username)
}
