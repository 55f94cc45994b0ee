import { parse } from 'node-html-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { connectMal, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { personalServer } from '../../e2e/place.ts'
import { authorization, csrfOf, enter, letIn, malAccount, openBrowser, register, send } from '../ground.ts'

/** R1-24: OWASP Cross-Site Request Forgery Prevention Cheat Sheet; MCP security best practices, "CSRF protection". */
let outside: Outside
let publicUrl: string
let ada: Browser
let eve: Browser

/** A form as a page of the gate has it. */
interface Form {
  readonly page: string
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

let forms: readonly Form[]

beforeAll(async () => {
  const mcpServers = { mal: { builtin: 'mal' }, own: personalServer('http://127.0.0.1:9/mcp') }
  outside = await openOutside({ config: { mcpServers } })
  publicUrl = outside.publicUrl
  ada = await enter(outside, 'ada')
  eve = await enter(outside, 'eve')
  await outside.gate.setToken('ada', 'own', 'a-token-of-ada')
  await letIn(outside, ada)
  await connectMal(ada, `${publicUrl}/connect/mal`, malAccount())
  await outside.gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  const second = openBrowser()
  await (await second.open(`${publicUrl}/sign-in`)).press(/^Sign in/, { name: 'ada', password: PASSWORD })
  const question = (await ada.open(authorization(outside, await register(outside)).href)).url
  forms = await findForms([
    `${publicUrl}/account`,
    `${publicUrl}/account/clients`,
    `${publicUrl}/account/keys`,
    `${publicUrl}/account/sessions`,
    `${publicUrl}/account/servers/mal/disconnect`,
    `${publicUrl}/account/servers/own/token`,
    `${publicUrl}/account/servers/own/token/remove`,
    `${publicUrl}/connect/mal`,
    `${publicUrl}/connect/own`,
    question,
  ])
})
afterAll(() => outside[Symbol.asyncDispose]())

/** Every form that a signed-in user meets, filled in as it stands. */
async function findForms(pages: readonly string[]): Promise<Form[]> {
  const found: Form[] = []
  for (const page of pages) {
    const { html, status } = await ada.open(page)
    if (status !== 200) throw new Error(`${page}: ${status}`)
    for (const form of parse(html).querySelectorAll('form')) {
      if (form.getAttribute('method')?.toLowerCase() !== 'post') continue
      const action = new URL(form.getAttribute('action') ?? '', page).href
      const inputs = [...form.querySelectorAll('input'), ...form.querySelectorAll('button')]
      const named = inputs.flatMap((input): [string, string][] => {
        const name = input.getAttribute('name')
        return name === undefined ? [] : [[name, input.getAttribute('value') ?? 'x']]
      })
      const target = new URL(page).pathname
      if (!found.some((each) => each.action === action))
        found.push({ page: target, action, fields: Object.fromEntries(named) })
    }
  }
  return found
}

/** What Ada would lose if one of them went through. */
async function standing(): Promise<string[]> {
  const pages = ['/account', '/account/clients', '/account/keys', '/account/sessions']
  const texts: string[] = []
  for (const page of pages) {
    const { url, html } = await ada.open(publicUrl + page)
    expect(new URL(url).pathname).toBe(page)
    const rows = parse(html)
      .querySelectorAll('form')
      .map((form) => `${form.getAttribute('action')} ${form.querySelector('[name=on]')?.getAttribute('value') ?? ''}`)
    texts.push(rows.join(' '))
  }
  return texts
}

describe('every form of a signed-in user', () => {
  test('is among those that are tried', () => {
    const actions = forms.map(({ action }) => new URL(action).pathname.replace(/[\w-]{20,}$/, '*'))
    expect([...new Set(actions)].sort()).toEqual(
      [
        '/account/clients/revoke',
        '/account/keys',
        '/account/keys/revoke',
        '/account/password',
        '/account/servers/mal/disconnect',
        '/account/servers/mal/read-only',
        '/account/servers/mal/test',
        '/account/servers/own/read-only',
        '/account/servers/own/token',
        '/account/servers/own/token/remove',
        '/account/sessions/end',
        '/account/sessions/end-others',
        '/connect/mal',
        '/connect/own',
        '/interaction/*',
        '/sign-out',
      ].sort(),
    )
  })

  const without = ({ csrf: _csrf, ...fields }: Form['fields']) => fields
  test.for<
    [string, (form: Form, theirs: string) => { form: Record<string, string>; headers?: Record<string, string> }]
  >([
    ['without its token', ({ fields }) => ({ form: without(fields) })],
    ['with an empty token', ({ fields }) => ({ form: { ...fields, csrf: '' } })],
    ['with the token of another user’s browser', ({ fields }, csrf) => ({ form: { ...fields, csrf } })],
    ['with a token that is too long', ({ fields }) => ({ form: { ...fields, csrf: `${fields['csrf']}A` } })],
    ['from another site', ({ fields }) => ({ form: fields, headers: { origin: 'https://evil.example' } })],
    ['from a neighbouring host', ({ fields }) => ({ form: fields, headers: { origin: 'http://evil.localhost' } })],
    ['from another port', ({ fields }) => ({ form: fields, headers: { origin: 'http://localhost:1' } })],
    [
      'from another scheme',
      ({ fields }) => ({ form: fields, headers: { origin: publicUrl.replace('http', 'https') } }),
    ],
    ['from nowhere it would say', ({ fields }) => ({ form: fields, headers: { origin: 'null' } })],
    [
      'as the browser says, across sites',
      ({ fields }) => ({ form: fields, headers: { 'sec-fetch-site': 'cross-site' } }),
    ],
    [
      'as the browser says, from a sibling',
      ({ fields }) => ({ form: fields, headers: { 'sec-fetch-site': 'same-site' } }),
    ],
  ])('is refused %s', async ([, change]) => {
    const before = await standing()
    const cookie = await ada.cookies(publicUrl)
    const theirs = csrfOf((await eve.open(`${publicUrl}/account`)).html)
    expect(theirs).not.toBe('')
    for (const form of forms) {
      const { form: fields, headers } = change(form, theirs)
      const answer = await send(form.action, { form: fields, headers: { cookie, ...headers } })
      expect([form.action, answer.status]).toEqual([form.action, 403])
    }
    expect(await standing()).toEqual(before)
  })

  test('is not sent by a link, nor in another form than a page sends it (CWE-352)', async () => {
    const before = await standing()
    const cookie = await ada.cookies(publicUrl)
    for (const { action, fields } of forms) {
      const url = new URL(action)
      url.search = new URLSearchParams(fields).toString()
      await send(url, { headers: { cookie } })
      await send(url, { method: 'HEAD', headers: { cookie } })
      for (const method of ['PUT', 'PATCH', 'DELETE'])
        expect((await send(url, { method, headers: { cookie } })).status).toBeGreaterThanOrEqual(400)
      for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x']) {
        const body = new URLSearchParams(fields).toString()
        const answer = await send(action, { body, headers: { cookie, 'content-type': type } })
        expect([action, answer.status]).toEqual([action, 400])
      }
    }
    expect(await standing()).toEqual(before)
  })

  test('does its work when it is sent from its page', async () => {
    const { url } = await (await ada.open(`${publicUrl}/account/servers/own/token/remove`)).press(/^Remove/)
    expect(new URL(url).pathname).toBe('/account')
  })
})

/** RFC 6749 §10.12, OWASP "Login CSRF": nobody is signed in, unawares, as somebody else. */
describe('a form of whoever is not signed in yet', () => {
  test('is good in the browser it was shown in only (CWE-352)', async () => {
    const attacker = openBrowser()
    const page = await attacker.open(`${publicUrl}/sign-in`)
    const form = { csrf: csrfOf(page.html), way: 'password', name: 'eve', password: PASSWORD }
    const victim = openBrowser()
    await victim.open(`${publicUrl}/sign-in`)
    for (const cookie of ['', await victim.cookies(publicUrl), await ada.cookies(publicUrl)]) {
      const answer = await send(`${publicUrl}/sign-in`, { form, headers: { cookie } })
      expect(answer.status).toBe(403)
      expect(answer.headers.getSetCookie().join()).not.toMatch(/sekisho=[\w-]{43}/)
    }
    const cookie = await attacker.cookies(publicUrl)
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }])
      expect((await send(`${publicUrl}/sign-in`, { form, headers: { cookie, ...headers } })).status).toBe(403)
    expect((await send(`${publicUrl}/sign-in`, { form, headers: { cookie } })).status).toBe(303)
  })

  test('is good for an invitation as little', async () => {
    const link = await outside.gate.inviteUser('invited')
    const form = { password: PASSWORD, again: PASSWORD }
    expect((await send(link, { form })).status).toBe(403)
    const elsewhere = await openBrowser().open(`${publicUrl}/sign-in`)
    const cookie = await ada.cookies(publicUrl)
    const csrf = csrfOf(elsewhere.html)
    expect((await send(link, { form: { ...form, csrf }, headers: { cookie } })).status).toBe(403)
    expect((await openBrowser().open(link)).has(/^Set the password/)).toBe(true)
  })
})

/** Each question has a token of its own: another, or the account’s, does not answer it. */
test('what allows one client is not what allows another', async () => {
  const [one, two] = [await register(outside), await register(outside)]
  const pages = [
    await ada.open(authorization(outside, one).href),
    await ada.open(authorization(outside, two).href),
    await ada.open(`${publicUrl}/account`),
  ]
  const [target, ...others] = pages
  const cookie = await ada.cookies(target?.url ?? '')
  for (const { html } of others) {
    const form = { csrf: csrfOf(html), decision: 'allow' }
    expect((await send(target?.url ?? '', { form, headers: { cookie } })).status).toBe(403)
  }
})
