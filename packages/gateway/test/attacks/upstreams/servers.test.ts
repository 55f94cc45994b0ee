import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { eras, type Era } from '../../e2e/eras.ts'
import { failureOf } from '../../e2e/failures.ts'
import { LONG_NAME, ODD_NAMES, startOddUpstream, type OddUpstream, type Seen } from '../odd-upstream.ts'
import { doorOf, until } from '../../e2e/place.ts'
import { openLine, rawRequest } from '../../e2e/raw.ts'
import { call, errorOf, namesOf, said, send, statusOf, textFrom } from '../../e2e/wire.ts'

const SECRET = 'Bearer the-credential-of-this-upstream'
const NEVER = 60_000

let upstream: OddUpstream
let gate: Gate
let key = ''

beforeAll(async () => {
  upstream = await startOddUpstream()
  const at = (path: string, more: object = {}) => ({ url: `${upstream.origin}/${path}`, ...more })
  gate = await startGate({
    config: {
      mcpServers: {
        dual: at('dual', { headers: { Authorization: SECRET } }),
        modern: at('modern'),
        legacy: at('legacy'),
        session: at('session'),
        brief: at('dual', { timeoutMs: 400 }),
        mute: at('mute', { timeoutMs: 400 }),
        garbled: at('garbled'),
        halfway: at('halfway'),
        oddSession: at('oddSession'),
        many: at('modern/many'),
        endless: at('modern/endless'),
        odd: at('modern/odd'),
        broken: at('modern/broken'),
        none: at('modern/none'),
        refused: at('modern/refused'),
        unauthorized: at('modern/unauthorized'),
        down: { url: `http://127.0.0.1:${await freePort()}/mcp` },
      },
      limits: { answerBytes: 32_000_000 },
      timeouts: { callMs: NEVER, startMs: 5_000 },
    },
  })
  key = (await gate.addUser('ada')).key
})

afterAll(async () => {
  await gate.stop()
  await upstream[Symbol.asyncDispose]()
})

/** Whatever an upstream did, the gate goes on. */
afterEach(async () => {
  await textFrom(door('modern'), 'echo')
})

const door = (era: Era, server: string | undefined = 'dual') => doorOf(gate, { key }, era, server)
const merged = (era: Era) => doorOf(gate, { key }, era)

const calling = (era: Era, server: string, name: string, args: object = {}) =>
  send(door(era, server), 'tools/call', { name, arguments: args })

function seenOf(tool: string): Seen {
  const found = upstream.seen.findLast((one) => one.tool === tool)
  if (!found) throw new Error(`${tool} was not called`)
  return found
}

describe('an answer that is none', () => {
  const cases: readonly [tool: string, code: string, words: RegExp, args?: object][] = [
    ['html', 'upstream.bad_answer', /content type text\/html/],
    ['htmlAsJson', 'upstream.bad_answer', /not valid JSON/],
    ['longHtmlAsJson', 'upstream.bad_answer', /not a JSON-RPC message/],
    ['empty', 'upstream.bad_answer', /no content/],
    ['noType', 'upstream.bad_answer', /no content type/],
    ['cut', 'upstream.bad_answer', /not valid JSON/],
    ['wrongId', 'upstream.bad_answer', /another request/],
    ['notRpc', 'upstream.bad_answer', /not a JSON-RPC message/],
    ['list', 'upstream.bad_answer', /not valid JSON/],
    ['asks', 'upstream.bad_answer', /a request in place of an answer/],
    ['status', 'upstream.refused', /HTTP 401/, { status: 401 }],
    ['status', 'upstream.refused', /HTTP 403/, { status: 403 }],
    ['status', 'upstream.bad_answer', /HTTP 404/, { status: 404 }],
    ['status', 'upstream.busy', /HTTP 429/, { status: 429 }],
    ['status', 'upstream.bad_answer', /HTTP 500/, { status: 500 }],
    ['status', 'upstream.busy', /HTTP 503/, { status: 503 }],
    ['compressed', 'upstream.bad_answer', /compressed/],
    ['tooLarge', 'upstream.too_large', /larger than 32000000 bytes/],
    ['ends', 'upstream.died', /ended before it answered/],
    ['junkEvent', 'upstream.bad_answer', /not valid JSON/],
    ['wrongIdEvent', 'upstream.bad_answer', /another request/],
    ['oddHeaders', 'upstream.bad_answer', /not HTTP/],
    ['notHttp', 'upstream.bad_answer', /not HTTP/],
    ['manyHeaders', 'upstream.bad_answer', /not HTTP/],
    ['reset', 'upstream.died', /may or may not have run/],
    ['resetInside', 'upstream.died', /may or may not have run/],
  ]

  test.for(cases)('%s is %s (CWE-20)', async ([tool, code, words, args]) => {
    for (const era of eras) {
      const failure = failureOf(await calling(era, 'dual', tool, args))
      expect(failure).toEqual({ code, words: expect.stringMatching(words) })
      expect(failure.words).toMatch(/^dual /)
    }
  })

  test('reaches a client that speaks another revision as the same failure', async () => {
    expect(failureOf(await calling('modern', 'legacy', 'html')).code).toBe('upstream.bad_answer')
    expect(failureOf(await calling('legacy', 'modern', 'html')).code).toBe('upstream.bad_answer')
    expect(failureOf(await calling('modern', 'session', 'inside')).words).toContain('not valid JSON')
  })

  test('a redirect is not followed, and no credential is sent to where it leads (CWE-601, CWE-918)', async () => {
    await using elsewhere = await startOddUpstream()
    const failure = failureOf(await calling('modern', 'dual', 'redirect', { to: `${elsewhere.origin}/dual` }))
    expect(failure).toEqual({ code: 'upstream.bad_answer', words: expect.stringContaining('HTTP 307') })
    expect(elsewhere.seen).toEqual([])
    expect(seenOf('redirect').headers.authorization).toBe(SECRET)
  })

  test('an error of the upstream’s own is passed on as it is, whatever its HTTP status', async () => {
    for (const era of eras) {
      const reply = await calling(era, 'dual', 'errorStatus')
      const status = era === 'modern' ? 400 : 200
      expect([reply.status, errorOf(reply)]).toEqual([status, { code: -32602, message: 'No' }])
      expect(errorOf(await calling(era, 'dual', 'nullId'))).toEqual({ code: -32603, message: 'Lost it' })
    }
  })

  test('what comes before or after a good answer does no harm', async () => {
    expect(await textFrom(door('modern'), 'early')).toBe('in time')
    expect((await calling('legacy', 'dual', 'twice')).messages).toHaveLength(1)
  })
})

describe('an answer that takes for ever', () => {
  test.for(['silent', 'slowBody'])(
    '%s: ends at the deadline, and the upstream is hung up on (CWE-400)',
    async (tool) => {
      for (const era of eras) {
        const failure = failureOf(await calling(era, 'brief', tool))
        expect(failure).toEqual({ code: 'upstream.timeout', words: expect.stringContaining('within 0.4 s') })
        await until(() => seenOf(tool).hungUp)
      }
    },
  )

  test('with a sign of life now and then ends too, after ten deadlines', async () => {
    const reply = await calling('modern', 'brief', 'lingers')
    expect(reply.messages.length).toBeGreaterThan(10)
    expect(failureOf(reply)).toEqual({ code: 'upstream.timeout', words: expect.stringContaining('within 4 s') })
    await until(() => seenOf('lingers').hungUp)
  })

  test('that has begun to be passed on is broken off, not ended as if it were whole', async () => {
    await expect(calling('modern', 'brief', 'stalls')).rejects.toThrow('terminated')
    await until(() => seenOf('stalls').hungUp)
  })
})

describe('an answer without end', () => {
  test('is broken off at the limit (CWE-400)', async () => {
    await expect(calling('modern', 'dual', 'endless')).rejects.toThrow('terminated')
    await until(() => seenOf('endless').hungUp)
  })

  test('is a failure where nothing of it was passed on yet', async () => {
    const failure = failureOf(await calling('modern', 'legacy', 'endless'))
    expect(failure).toEqual({ code: 'upstream.too_large', words: expect.stringContaining('limits.answerBytes') })
  })

  test.for(['hugeEvent', 'manyLines'])('%s: an event stream has the same limit (CWE-400)', async (tool) => {
    expect(failureOf(await calling('modern', 'dual', tool)).code).toBe('upstream.too_large')
    await until(() => seenOf(tool).hungUp)
  })

  test('a long one within the limit arrives whole', async () => {
    for (const era of eras) expect(await textFrom(door(era), 'long')).toHaveLength(500_000)
  })
})

describe('a client that does not read', () => {
  /** Calls a tool on a connection of its own, takes nothing of the answer, and waits until the upstream is hung up on. */
  async function callDeaf(server: string, tool: string): Promise<string> {
    const line = openLine(gate.url)
    line.socket.pause()
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } })
    const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', 'Connection: close']
    const before = upstream.seen.length
    line.socket.write(rawRequest(gate.url, { target: `/mcp/${server}`, headers, body }))
    await until(() => upstream.seen.slice(before).some((one) => one.tool === tool && one.hungUp))
    line.socket.resume()
    return line.closed
  }

  test('is told so when thousands of notifications wait for it, and the upstream is hung up on', async () => {
    const read = await callDeaf('dual', 'chatter')
    expect(read).toMatch(/notifications\/progress[^]*request\.not_read/)
    expect(read.length).toBeLessThan(32_000_000)
  })

  test('holds up a long answer no longer than the deadline', async () => {
    const read = await callDeaf('brief', 'endless')
    expect(read).toContain('HTTP/1.1 200 OK')
    expect(read.length).toBeLessThan(32_000_000)
  })
})

describe('sessions and eras', () => {
  test.for<[server: string, code: string, words: RegExp]>([
    ['mute', 'upstream.timeout', /within 0\.4 s/],
    ['garbled', 'upstream.bad_answer', /not valid JSON/],
    ['halfway', 'upstream.unreachable', /cannot be reached/],
    ['oddSession', 'upstream.bad_answer', /a session id/],
  ])('a server that is %s cannot even be opened, which is %s', async ([server, code, words]) => {
    for (const era of eras) {
      expect(failureOf(await calling(era, server, 'echo'))).toEqual({ code, words: expect.stringMatching(words) })
    }
  })

  test('a session that was lost is opened again, once, and the call succeeds', async () => {
    for (const era of eras) {
      await textFrom(door(era, 'session'), 'echo')
      const opened = () =>
        upstream.seen.filter(({ path, method }) => path === '/session' && method === 'initialize').length
      const before = opened()
      upstream.forget()
      expect(await textFrom(door(era, 'session'), 'echo', { again: true })).toContain('"again":true')
      expect(opened()).toBe(before + 1)
    }
  })

  test.for(['modern', 'legacy', 'session', 'dual'])(
    'a client of either era works with a server that is %s',
    async (server) => {
      for (const era of eras) expect(await textFrom(door(era, server), 'echo', { era })).toContain(`"era":"${era}"`)
    },
  )
})

describe('a list of tools that is none', () => {
  test.for<[server: string, words: string]>([
    ['many', 'more than 30000 tools'],
    ['endless', 'more than 200 pages'],
    ['none', 'no list of tools'],
    ['refused', 'answered tools/list with an error'],
    ['unauthorized', 'refused the credential'],
    ['down', 'cannot be reached'],
  ])('%s: is an error of that server alone (CWE-770)', async ([server, words]) => {
    for (const era of eras) {
      const reply = await send(door(era, server), 'tools/list')
      expect([reply.status, errorOf(reply)]).toEqual([200, expect.objectContaining({ code: -31006 })])
      expect(errorOf(reply).message).toContain(words)
      expect(failureOf(await send(merged(era), 'tools/call', { name: `${server}__echo` })).words).toContain(words)
      expect((await statusOf(merged(era))).get(server)).toMatchObject({ state: 'unavailable', tools: 0 })
    }
  })

  test('the tools of the others are listed, each name once, short and plain', async () => {
    for (const era of eras) {
      const names = await namesOf(merged(era))
      expect(names).toEqual(expect.arrayContaining(['sekisho_status', 'dual__echo', 'legacy__echo', 'session__echo']))
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(`mcp__sekisho__${name}`).toMatch(/^[\w-]{1,64}$/)
    }
  })

  test('a description that is not JSON is left out, and spoils no other', async () => {
    for (const era of eras) {
      expect(await namesOf(door(era, 'broken'))).toEqual(['whole'])
      expect((await namesOf(merged(era))).filter((name) => name.startsWith('broken__'))).toEqual(['broken__whole'])
    }
  })

  test('odd names are kept where nothing is renamed, and work under both their names', async () => {
    for (const era of eras) {
      expect(await namesOf(door(era, 'odd'))).toEqual(ODD_NAMES)
      const exposed = (await namesOf(merged(era))).filter((name) => name.startsWith('odd__'))
      expect(exposed).toHaveLength(ODD_NAMES.length)
      const heard = await Promise.all(exposed.map(async (name) => JSON.parse(said(await call(merged(era), name)))))
      expect(heard.map(({ name }) => name)).toEqual(ODD_NAMES)
    }
    expect(await textFrom(door('legacy', 'odd'), LONG_NAME)).toContain(LONG_NAME)
  })
})
