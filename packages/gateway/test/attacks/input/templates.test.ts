import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { childServer, doorOf, personalServer } from '../../e2e/place.ts'
import { call, said, send, textFrom } from '../../e2e/wire.ts'
import { startOddUpstream, type OddUpstream } from '../odd-upstream.ts'

const scratch = mkdtempSync(join(tmpdir(), 'sekisho-templates-'))
const MARK = join(scratch, 'was-here')

let upstream: OddUpstream
let gate: Gate
let key = ''

beforeAll(async () => {
  upstream = await startOddUpstream()
  gate = await startGate({
    config: {
      mcpServers: {
        child: {
          ...childServer({ TOKEN: { $userToken: 'prefix {{token}}' } }),
          args: [...childServer().args, { $userToken: '--token={{token}}' }, 'last'],
        },
        header: personalServer(`${upstream.origin}/dual`),
        path: { url: { $userToken: `${upstream.origin}/dual/{{token}}/end?key={{token}}` } },
      },
      log: { level: 'debug', format: 'json' },
    },
  })
  key = (await gate.addUser('ada')).key
})
afterAll(async () => {
  await gate.stop()
  await upstream[Symbol.asyncDispose]()
  rmSync(scratch, { recursive: true, force: true })
})
/** Whatever was set, no command ran and the gate has no fault. */
afterEach(() => {
  if (existsSync(MARK)) throw new Error('a command was run')
  if (gate.log().includes('gate.fault')) throw new Error(gate.log())
})

/** The code with which the gate does not take a token. */
async function refusalOf(server: string, token: string): Promise<unknown> {
  const { status, body } = await gate.admin('PUT', `/admin/api/tokens/${server}`, { user: 'ada', token })
  expect(status).toBe(400)
  return Reflect.get(Object(Reflect.get(Object(body), 'error')) as object, 'code')
}

test.for([
  `$(touch ${MARK})`,
  `\`touch ${MARK}\``,
  `; touch ${MARK} #`,
  `| touch ${MARK}`,
  `&& touch ${MARK}`,
  `' --eval "require('fs').writeFileSync('${MARK}','')"`,
  `--require=${MARK}`,
  `" & touch ${MARK} & "`,
  `%0atouch ${MARK}`,
  '{{token}} {{id}} ${HOME} $PATH',
])('the shell words %j are one argument and one variable of a program (CWE-78)', async (token) => {
  await gate.setToken('ada', 'child', token)
  const { args, env } = JSON.parse(await textFrom(doorOf(gate, { key }), 'child__whoami')) as {
    args: string[]
    env: Record<string, string>
  }
  expect(args).toEqual([`--token=${token}`, 'last'])
  expect(env['TOKEN']).toBe(`prefix ${token}`)
})

test.for([
  'x\r\nX-Admin: yes',
  'x\nX-Admin: yes',
  'x\rX-Admin: yes',
  'x\r\n\r\nGET /admin HTTP/1.1\r\n\r\n',
  'x\0y',
  '\0',
  'né€',
  `\ntouch ${MARK}\n`,
])(
  'line breaks and other characters that no token has, %j, are refused before they are kept (CWE-93)',
  async (token) => {
    const before = upstream.seen.length
    for (const server of ['child', 'header', 'path']) expect(await refusalOf(server, token)).toBe('token.format')
    const result = await call(doorOf(gate, { key }), 'header__echo')
    expect([result.isError, said(result)]).toEqual([true, expect.stringMatching(/^header needs your own/)])
    expect(upstream.seen).toHaveLength(before)
    expect(gate.log()).not.toContain(token)
  },
)

test.for(['..', '.'])(
  'the token %j, a step in an address whatever is done to it, is refused (CWE-22)',
  async (token) => {
    expect(await refusalOf('path', token)).toBe('token.format')
  },
)

test.for([
  '../..',
  '%2e%2e',
  '..%2f..',
  '/../admin',
  '\\..\\admin',
  '//evil.example/',
  '@evil.example/',
  '?key=other#',
  '#',
  'x&admin=1',
  '..;/admin',
])('the token %j does not lead an address elsewhere (CWE-22, CWE-918)', async (token) => {
  const before = upstream.seen.length
  await gate.setToken('ada', 'path', token)
  await send(doorOf(gate, { key }), 'tools/call', { name: 'path__echo' })
  for (const { path } of upstream.seen.slice(before)) {
    const url = new URL(path, upstream.origin)
    expect([path.split('?')[0]?.split('/').length, url.pathname.endsWith('/end')]).toEqual([4, true])
    expect([...url.searchParams]).toEqual([['key', token]])
  }
})

test.for([
  '../x',
  '..',
  '.',
  'a/b',
  'a\\b',
  'a\0b',
  'a b',
  'a__b',
  'CON:',
  '',
  'x'.repeat(25),
  '~root',
  '$HOME',
  'a\nb',
  'sekisho',
  'é',
])('names of servers lead nowhere: %j is refused (CWE-22)', (name) => {
  const text = JSON.stringify({ mcpServers: { [name]: { command: 'true' } } })
  const loaded = loadConfig({ file: '/etc/sekisho.jsonc', text, environment: {}, dataDirectory: '/data' })
  expect(loaded.ok ? [] : loaded.problems).toMatchObject([{ reason: expect.stringMatching(/name|longer than/) }])
})
