import { z } from 'zod'
import { problem } from '../base/problem.ts'
import { findBeyond, grantable, KEY_DAYS, KEY_NAME } from '../identity/key-rules.ts'
import type { ApiKey } from '../identity/keys.ts'
import { isScope } from '../identity/principal.ts'
import { redirectTo } from '../pages/respond.ts'
import { say, type WordKey } from '../pages/words.ts'
import { againFor, mayGoOn } from './fresh.ts'
import { keysPage, madePage, type KeyForm } from './keys-view.ts'
import type { AccountNeeds, Person } from './needs.ts'
import { findNotice, withNotice } from './notices.ts'
import { show } from './show.ts'
import { doneBy, requireServer, visitOf, type AccountHono, type Visit } from './visit.ts'

const PATH = '/account/keys'
const DAY_MS = 86_400_000

/** The API keys that users make for themselves. */
export function addKeyRoutes(app: AccountHono, needs: AccountNeeds): void {
  app.get(PATH, async (context) => showKeys(needs, visitOf(context)))

  app.post(PATH, async (context) => {
    const visit = visitOf(context)
    const form = readKeyForm(visit.form)
    const parsed = NewKey.safeParse(form)
    if (!parsed.success) return showKeys(needs, visit, { form, wrong: wrongOf(parsed.error) })
    refuseBeyond(needs, visit.person, parsed.data.scopes)
    return make(needs, visit, parsed.data)
  })

  app.post(`${PATH}/revoke`, async (context) => {
    const visit = visitOf(context)
    const key = await requireOwn(needs, visit.person, visit.form.get('key') ?? '')
    if (key.revokedAt === null) await revoke(needs, visit, key)
    return redirectTo(withNotice(PATH, 'keyRevoked'))
  })
}

const NewKey = z.strictObject({
  name: z.string().regex(KEY_NAME, 'keys.wrong.name' satisfies WordKey),
  scopes: z
    .array(z.string().refine(isScope))
    .min(1, 'keys.wrong.scope' satisfies WordKey)
    .max(64),
  expiry: z.union([z.literal('never'), z.coerce.number().int().min(1).max(KEY_DAYS)]),
})
type NewKey = z.output<typeof NewKey>

function readKeyForm(form: URLSearchParams): KeyForm {
  return {
    name: (form.get('name') ?? '').trim(),
    scopes: [...new Set(form.getAll('scope'))],
    expiry: form.get('expiry') ?? '',
  }
}

/** What is wrong with each field, in words; those of the schema never repeat what was entered. */
function wrongOf({ issues }: z.ZodError): ReadonlyMap<keyof KeyForm, string> {
  const fields = new Set(issues.map(({ path: [field] }) => field))
  const words = [
    ['name', 'keys.wrong.name'],
    ['scopes', 'keys.wrong.scope'],
    ['expiry', 'keys.wrong.expiry'],
  ] as const
  return new Map(words.flatMap(([field, word]) => (fields.has(field) ? [[field, say(word)]] : [])))
}

/** The page offers nothing else, so this meets only who sends a form of their own making. */
function refuseBeyond({ servers }: AccountNeeds, { role }: Person, scopes: readonly string[]): void {
  if (findBeyond(grantable(role), scopes) !== undefined) throw problem('auth.role', { role: 'admin' })
  for (const scope of scopes) if (scope.startsWith('mcp:')) requireServer(servers(), scope.slice('mcp:'.length))
}

/** The answer is the page itself: nowhere else could the key be shown. */
async function make({ keys, audit, clock, publicUrl }: AccountNeeds, visit: Visit, wanted: NewKey): Promise<Response> {
  const { tenant, userId } = visit.holder
  const { name, scopes, expiry } = wanted
  const expiresAt = expiry === 'never' ? undefined : clock.now() + expiry * DAY_MS
  const { key, record } = await keys.add(tenant, { userId, name, scopes, expiresAt })
  const target = { target: record.id, owner: userId }
  await audit.record(tenant, {
    kind: 'key.added',
    ...doneBy(visit),
    ...target,
    name,
    address: visit.address,
    scopes: scopes.join(' '),
    expires: expiresAt,
  })
  return show(visit, say('keys.made.title'), madePage(key, record, publicUrl))
}

/** A key of somebody else's is as unknown as one that is not there. */
async function requireOwn({ keys }: AccountNeeds, { tenant, userId }: Person, id: string): Promise<ApiKey> {
  const own = (await keys.list(tenant, userId)).find((key) => key.id === id)
  if (own === undefined) throw problem('key.unknown', { key: id })
  return own
}

async function revoke({ keys, audit }: AccountNeeds, visit: Visit, { id, name }: ApiKey): Promise<void> {
  const { tenant, userId } = visit.holder
  await keys.revoke(tenant, id)
  const { address } = visit
  await audit.record(tenant, { kind: 'key.revoked', ...doneBy(visit), target: id, owner: userId, name, address })
}

const BLANK: KeyForm = { name: '', scopes: ['mcp'], expiry: '90' }

async function showKeys(
  needs: AccountNeeds,
  visit: Visit,
  { form = BLANK, wrong = new Map() }: { form?: KeyForm; wrong?: ReadonlyMap<keyof KeyForm, string> } = {},
): Promise<Response> {
  const { keys, servers, clock } = needs
  const { tenant, userId, role, csrf } = visit.person
  const all = await keys.list(tenant, userId)
  const body = keysPage({
    keys: all.filter(({ revokedAt }) => revokedAt === null).toReversed(),
    offered: offer(
      grantable(role),
      servers().map(({ id }) => id),
    ),
    form,
    wrong,
    csrf,
    now: clock.now(),
    done: findNotice(visit.url),
    again: mayGoOn(needs, visit.person) ? undefined : againFor(PATH),
  })
  return show(visit, say('keys.title'), body, { status: wrong.size === 0 ? 200 : 400 })
}

/** The scopes in the order they are shown: every server, each one, and what only administrators have. */
function offer([everything = 'mcp', ...more]: readonly string[], servers: readonly string[]): string[] {
  return [everything, ...servers.map((server) => `mcp:${server}`), ...more]
}
