import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { acceptInvitation, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { childServer } from '../../e2e/place.ts'
import { openSchema } from '../../e2e/sign-in/postgres.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { csrfOf, ping, send, type Got } from '../ground.ts'

/** R3-31b: what a stranger writes stands in a statement as a value, and is never a part of it. */
const TRUE = `x' or '1'='1`
const DROP = `x'; drop table users; --`
const TEXTS = [
  TRUE,
  DROP,
  `ada' --`,
  `ada'/*`,
  `x" or ""="`,
  `x\\' or 1=1 --`,
  `') or true --`,
  '%',
  '_da',
  '$1',
  `x'||pg_sleep(9)||'`,
]

const GENEROUS = {
  signIn: 10_000,
  token: 10_000,
  revoke: 10_000,
  authorize: 10_000,
  device: 10_000,
  wrongKeys: 10_000,
  register: 10_000,
}
const config = { mcpServers: { own: childServer() }, limits: { perMinute: GENEROUS, callsPerMinute: 10_000 } }

describe.each(withoutPostgres ? ['sqlite'] : ['sqlite', 'postgres'])('on %s', (name) => {
  const opened = new AsyncDisposableStack()
  let gate: Gate
  let ada: { readonly key: string }
  let before: unknown
  const known = async () => (await gate.admin('GET', '/admin/api/users')).body
  beforeAll(async () => {
    const schema = name === 'postgres' ? opened.use(await openSchema()) : undefined
    gate = opened.use(await startGate({ config, env: schema ? { DATABASE_URL: schema.databaseUrl } : {} }))
    ada = await gate.addUser('ada', { role: 'admin', scopes: ['mcp', 'admin'] })
    const link = await gate.inviteUser('ben')
    await acceptInvitation(link)
    before = await known()
  })
  afterAll(() => opened.disposeAsync())

  /** Each writes a text where a database is asked with it. */
  const fields: Readonly<Record<string, (text: string) => Promise<Pick<Got, 'status'>>>> = {
    'the name of who signs in': (text) => signIn(text, PASSWORD),
    'a password': (text) => signIn('ben', text),
    'the value of a session': async (text) => {
      const { status, location } = await send(`${gate.url}/account`, {
        headers: { cookie: `sekisho=${encodeURIComponent(text)}` },
      })
      return { status: location?.pathname === '/sign-in' ? 401 : status }
    },
    'the secret of a link': (text) => send(`${gate.url}/welcome/${encodeURIComponent(text)}`),
    'an API key': (text) => ping(`${gate.url}/mcp`, { authorization: `Bearer sekisho_${text}` }),
    'an access token': (text) => ping(`${gate.url}/mcp`, { authorization: `Bearer ${text}` }),
    'the id of a client': (text) => token({ grant_type: 'authorization_code', client_id: text, code: 'x' }),
    'a code': (text) => token({ grant_type: 'authorization_code', client_id: 'x', code: text }),
    'a refresh token': (text) => token({ grant_type: 'refresh_token', client_id: 'x', refresh_token: text }),
    'a token to revoke': (text) => send(`${gate.url}/revoke`, { form: { client_id: text, token: text } }),
    'the id of a user': (text) => asAda('PATCH', `users/${encodeURIComponent(text)}`, { role: 'owner' }),
    'the id of a key': (text) => asAda('DELETE', `keys/${encodeURIComponent(text)}`),
    'an MCP session': (text) => ping(`${gate.url}/mcp`, { authorization: `Bearer ${ada.key}`, 'mcp-session-id': text }),
    'the name of a tool': (text) => callTool(text),
  }

  const token = (form: Readonly<Record<string, string>>) => send(`${gate.url}/token`, { form })
  const asAda = (method: string, path: string, json?: object) =>
    send(`${gate.url}/admin/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${ada.key}` },
      ...(json && { json }),
    })

  async function callTool(text: string): Promise<{ status: number }> {
    const json = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: text, arguments: {} } }
    const headers = {
      accept: 'application/json',
      'mcp-protocol-version': '2025-11-25',
      authorization: `Bearer ${ada.key}`,
    }
    const { status, body } = await send(`${gate.url}/mcp`, { json, headers })
    return { status: 'error' in body ? 400 : status }
  }

  async function signIn(who: string, password: string): Promise<Got> {
    const page = await send(`${gate.url}/sign-in`)
    const cookie = page.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    return send(`${gate.url}/sign-in`, {
      form: { csrf: csrfOf(page.text), way: 'password', name: who, password },
      headers: { cookie },
    })
  }

  test.for(Object.entries(fields))('SQL in %s opens, finds and ends nothing (CWE-89)', async ([, write]) => {
    for (const text of TEXTS) {
      const { status } = await write(text)
      expect(status, `with ${text}`).toBeGreaterThanOrEqual(400)
      expect(status, `with ${text}`).toBeLessThan(500)
    }
    expect(await known()).toEqual(before)
    expect(gate.log()).not.toMatch(/SqliteError|syntax error|DatabaseError/)
  })
})
