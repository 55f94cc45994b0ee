import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { read, startMal } from './support.ts'

function post(url: string, body: unknown): Promise<Response> {
  return fetch(`${url}/_control`, { method: 'POST', body: JSON.stringify(body) })
}

test('control is not there unless it was asked for', async () => {
  await using mal = await startMal()
  expect((await mal.get('/_control')).status).toBe(404)
})

test('control turns settings, ends tokens and counts', async () => {
  await using mal = await startMal({ control: true })
  const mika = mal.as('mika')
  expect((await post(mal.url, { settings: { rotation: 'strict' }, throttle: { perSecond: 1, burst: 1 } })).status).toBe(
    200,
  )
  expect(mal.settings).toMatchObject({ rotation: 'strict', throttle: { burst: 1 } })
  expect([(await mika('/users/@me')).status, (await mika('/users/@me')).status]).toEqual([200, 403])
  await post(mal.url, { throttle: null, expireTokens: 'mika' })
  expect((await read(mika('/users/@me'))).body).toEqual({ error: 'invalid_token' })
  await post(mal.url, { revoke: { user: 'mika' } })
  expect((await read(mika('/users/@me'))).body).toMatchObject({ message: 'token is invalid' })
  expect(await (await mal.get('/_control')).json()).toMatchObject({
    counts: { 'GET /v2/users/:name': 4, 'POST /_control': 3 },
    generated: 0,
  })
})

test.for([{ settings: { rotation: 'never' } }, { settings: { unknown: 1 } }, { throttle: { burst: '1' } }, [], 'text'])(
  'control refuses %j and changes nothing',
  async (body) => {
    await using mal = await startMal({ control: true })
    const before = structuredClone(mal.settings)
    expect((await post(mal.url, body)).status).toBe(400)
    expect(mal.settings).toEqual(before)
  },
)

const bin = fileURLToPath(new URL('../../src/mal/bin.ts', import.meta.url))

test('alone, it says where it is and who may come in', async () => {
  const child = spawn('node', [bin, '--port', '0', '--redirect', 'http://localhost:1/cb'])
  try {
    const [chunk] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) })
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(chunk))?.[0]
    expect((await fetch(`${url}/login`)).status).toBe(200)
  } finally {
    child.kill()
  }
})

test('alone, it gives out a token of whoever is named', async () => {
  const child = spawn('node', [bin, '--port', '0', '--token', 'mika'])
  try {
    let text = ''
    for await (const chunk of child.stdout) {
      text += chunk
      if (/access token of mika:\n\S+\n$/.test(text)) break
    }
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
    const authorization = `Bearer ${text.trim().split('\n').at(-1)}`
    const me = await fetch(`${url}/v2/users/@me`, { headers: { authorization } })
    expect(await me.json()).toMatchObject({ name: 'mika' })
  } finally {
    child.kill()
  }
})

test.for([
  { args: ['--help'], status: 0, out: /--token <user>.*mika \(12 anime/s, err: /^$/ },
  { args: ['--nope'], status: 2, out: /^$/, err: /^Unknown option '--nope' [^\n]*--help[^\n]*\n$/ },
  { args: ['--token', 'nobody'], status: 2, out: /^$/, err: /^there is no user nobody [^\n]*\n$/ },
])('alone, it explains itself: $args', ({ args, status, out, err }) => {
  const ended = spawnSync('node', [bin, ...args], { encoding: 'utf8', timeout: 10_000 })
  expect(ended).toMatchObject({
    status,
    stdout: expect.stringMatching(out),
    stderr: expect.stringMatching(err),
  })
})
