import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createAudit, type AuditNeeds } from '../../src/audit/append.ts'
import { BURST } from '../../src/audit/oddities.ts'
import { createRecent } from '../../src/audit/recent.ts'
import { createWatch } from '../../src/audit/watch.ts'
import type { UpstreamId, UserId } from '../../src/base/ids.ts'
import { readMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import { problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { createLimits } from '../../src/limits/spend.ts'
import { callServer, type CallNeeds } from '../../src/mcp/call.ts'
import { notAsked } from '../../src/mcp/bridge/askable.ts'
import { createSeals } from '../../src/mcp/bridge/states.ts'
import type { Context } from '../../src/mcp/context.ts'
import { legacyClient } from '../../src/mcp/eras/legacy.ts'
import { modernClient } from '../../src/mcp/eras/2026-07-28.ts'
import { createPlacing } from '../../src/mcp/placing.ts'
import { createTrail } from '../../src/mcp/trail.ts'
import type { Storage } from '../../src/storage/database.ts'
import { createMemoryCounters } from '../../src/storage/shared/memory.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import type { Answer, Caller, Reply } from '../../src/upstreams/transport.ts'
import { createTestClock, eachDatabase, quiet, ten } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'

const streamed: Answer = { kind: 'stream', head: Buffer.from('{'), pipe: () => {} }
const notes = 'notes' as UpstreamId
const answers = () => Promise.resolve(streamed)

interface Wanted extends Partial<AuditNeeds> {
  readonly callsPerMinute?: number
  readonly concurrentCalls?: number
  /** What the server does with a call. */
  readonly serve?: CallNeeds['upstreams']['call']
  readonly credentials?: CallNeeds['credentials']
  readonly context?: Partial<Context>
  readonly item?: { readonly retriable: boolean }
}

/** The path of a call with its real limits, trail and audit log, in front of a server that answers in pieces. */
function openPath(
  storage: Storage,
  {
    callsPerMinute = 1_000,
    concurrentCalls = 10,
    serve = answers,
    credentials = { require: () => undefined, renew: async () => undefined },
    context,
    item,
    ...more
  }: Wanted = {},
) {
  const clock = createTestClock()
  const audit = createAudit({ storage, clock, log: quiet, ...more })
  const sought: string[] = []
  const odd: string[] = []
  const watch = createWatch({ audit, recent: createRecent({ storage }), clock, onOdd: (what) => void odd.push(what) })
  const needs: CallNeeds = {
    placing: createPlacing({
      registry: {
        named: () => notes,
        require(_asker, _kind, name) {
          sought.push(name)
          if (name === 'down') throw problem('upstream.unreachable', { server: notes })
          if (name !== 'read') throw problem('tool.unknown', { tool: name })
          return { upstream: notes, name, ...PLAIN_ITEM, ...item }
        },
      },
      isShared: () => false,
      isReadOnly: () => false,
      seals: createSeals({ key: Buffer.alloc(32), clock }),
    }),
    limits: createLimits({ counters: createMemoryCounters(clock), callsPerMinute, concurrentCalls }),
    upstreams: { call: serve },
    credentials,
    trail: createTrail({ audit, watch, clock, serviceOf: () => undefined }),
    clock,
  }
  const aborted: string[] = []
  const askers: string[] = []
  return {
    audit,
    clock,
    sought,
    odd,
    aborted,
    askers,
    call: (name: string) =>
      callServer(needs, { request: requestFor(name), target: 'tool' }, { ...contextOf(aborted, askers), ...context }),
    async audited(): Promise<string[]> {
      await audit.flush()
      const rows = await storage.for(ten).selectFrom('audit').select('entry').orderBy('seq').execute()
      return rows.map(({ entry }) => {
        const { kind, tool, error }: Record<string, string> = JSON.parse(entry)
        return [kind, tool, error].filter(Boolean).join(' ')
      })
    },
  }
}

function requestFor(name: string): RpcRequest {
  const message = readMessage(
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })),
  )
  if (message.kind !== 'request') throw new TypeError('not a request')
  return message
}

function contextOf(aborted: string[], askers: string[]): Context {
  const principal = {
    tenant: ten,
    userId: 'usr_ada' as UserId,
    userName: 'ada',
    role: 'member',
    keyId: 'key_1',
    scopes: ['mcp'],
  } as const
  return {
    principal,
    era: modernClient,
    requestId: 'r-1',
    server: undefined,
    client: PLAIN_CLIENT,
    session: undefined,
    paramHeaders: [],
    signal: new AbortController().signal,
    abort: ({ code }) => void aborted.push(code),
    notify: () => {},
    async ask(question, asker) {
      askers.push(asker)
      return notAsked(question)
    },
  }
}

const PLAIN_ITEM = {
  exposed: 'read',
  json: Buffer.of(),
  exposedJson: Buffer.of(),
  readOnly: true,
  toolset: undefined,
  retriable: false,
  paramHeaders: undefined,
}

eachDatabase((_name, openFresh) => {
  test('a flood of unknown names costs allowance, and beyond it nothing is looked for', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage, { callsPerMinute: 2 })
    const codes: unknown[] = []
    for (let index = 0; index < 4; index++) codes.push(await codeOf(path.call(`no-${index}`)))
    expect(codes).toEqual(['tool.unknown', 'tool.unknown', 'limit.rate', 'limit.rate'])
    expect(path.sought).toEqual(['no-0', 'no-1'])
    await path.audit.close()
  })

  test('of the calls that are too many, one a minute is kept', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage, { callsPerMinute: 1 })
    await path.call('read')
    for (let index = 0; index < 5; index++) await codeOf(path.call('read'))
    expect(await path.audited()).toEqual(['tool.call read', 'tool.denied read limit.rate'])
    path.clock.turn(60_000)
    await path.call('read')
    for (let index = 0; index < 5; index++) await codeOf(path.call('read'))
    expect((await path.audited()).slice(2)).toEqual(['tool.call read', 'tool.denied read limit.rate'])
    await path.audit.close()
  })

  test('a server that could not say what tools it has denied nobody anything', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage)
    expect(await codeOf(path.call('down'))).toBe('upstream.unreachable')
    expect(await codeOf(path.call('none'))).toBe('tool.unknown')
    expect(await path.audited()).toEqual(['tool.denied none tool.unknown'])
    await path.audit.close()
  })

  test('R0-56d: a burst of refused calls is odd, and is kept as that once', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage)
    for (let count = 0; count < BURST.calls + 5; count++) await path.call('none').catch(() => {})
    expect(path.odd).toEqual(['many_refused'])
    expect((await path.audited()).filter((entry) => entry === 'account.odd')).toHaveLength(1)
    await path.call('down').catch(() => {})
    expect(path.odd).toEqual(['many_refused'])
    await path.audit.close()
  })

  test('a call that is refused for want of room in the audit log takes none of it', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage, { queueLimit: 10 })
    await sql`alter table audit rename to away`.execute(database.storage.system)
    const codes: unknown[] = []
    for (let index = 0; index < 20; index++) codes.push(await codeOf(path.call(`no-${index}`)))
    expect(codes.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 'tool.unknown'))
    expect(codes.slice(9)).toEqual(Array.from({ length: 11 }, () => 'audit.full'))
    await sql`alter table away rename to audit`.execute(database.storage.system)
    expect(await path.audited()).toHaveLength(9)
    await path.audit.close()
  })

  test('whoever asks in mid-call is known by name on the merged endpoint too, for the words of what becomes of it', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage, {
      async serve(_id, exchange) {
        await exchange.ask({ method: 'roots/list', params: '' })
        return streamed
      },
    })
    await path.call('read')
    expect(path.askers).toEqual(['notes'])
    await path.audit.close()
  })

  test('an answer whose call could not be recorded is not given, and its place among the running is free again', async () => {
    await using database = await openFresh()
    const path = openPath(database.storage, { synchronous: true, concurrentCalls: 1 })
    await sql`alter table audit rename to away`.execute(database.storage.system)
    expect(await codeOf(path.call('read'))).toBe('audit.full')
    expect(path.aborted).toEqual(['audit.full'])
    await sql`alter table away rename to audit`.execute(database.storage.system)
    expect(await path.call('read')).toMatchObject({ kind: 'stream' })
    await path.audit.close()
  })
})

/** A user whose token is another from when it is changed, and a server that notes down which it is sent. */
function changing(serve: (round: number) => Answer) {
  const sent: (string | undefined)[] = []
  let token = 'old'
  return {
    sent,
    change: () => void (token = 'new'),
    credentials: { require: () => secret(token), renew: async () => undefined },
    serve: async (_id: unknown, _exchange: unknown, caller: Caller) => serve(sent.push(caller.token?.reveal())),
  }
}

const whole = (text: string): Answer => ({ kind: 'whole', bytes: Buffer.from(text), era: 'modern', status: 200 })
const ASKS =
  '{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":{"message":"?"}}}}}'

eachDatabase((_name, openFresh) => {
  test('a credential that goes while the user is asked is not used for the next round', async () => {
    await using database = await openFresh()
    const { sent, change, ...server } = changing((round) => whole(round === 1 ? ASKS : '{"id":"1.1","result":{}}'))
    const ask = async () => {
      change()
      return '"result":{"action":"accept","content":{}}' as Reply
    }
    const path = openPath(database.storage, { ...server, context: { era: legacyClient, ask } })
    await path.call('read')
    expect(sent).toEqual(['old', 'new'])
    await path.audit.close()
  })

  test('a credential that goes with the server is not used to call it again', async () => {
    await using database = await openFresh()
    const { sent, change, ...server } = changing((round) => {
      if (round > 1) return whole('{"id":1,"result":{}}')
      change()
      throw problem('upstream.died', { server: notes })
    })
    const path = openPath(database.storage, { ...server, item: { retriable: true } })
    await path.call('read')
    expect(sent).toEqual(['old', 'new'])
    await path.audit.close()
  })
})
