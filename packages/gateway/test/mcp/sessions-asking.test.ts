import { expect, test } from 'vitest'
import { cannotAsk } from '../../src/mcp/sessions/asking.ts'
import type { Question, Reply } from '../../src/upstreams/transport.ts'
import { eventually, initialize, notes, openGate, openStream, post, type Call, type Replica } from './sessions-scene.ts'

const elicit: Question = { method: 'elicitation/create', params: '{"message":"Your name?","requestedSchema":{}}' }
const call = { id: 7, method: 'tools/call', params: { name: 'x' } }

/** Has a call ask, and answer with what it was told. */
function asker(question: Question, replica: () => Replica) {
  return async ({ session, outlet, end }: Call) => {
    const reply = await replica().asking.ask(session, question, { through: (message: Buffer) => outlet.ask(message) })
    end(JSON.stringify({ reply }))
  }
}

/** A client's answer, with bytes that parsing and writing again would not give back. */
async function answer(replica: Replica, session: string, id: unknown, member: string) {
  const body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${member}}`
  const headers = { 'x-user': 'ada', 'content-type': 'application/json', 'mcp-session-id': session }
  return (await fetch(`${replica.url}/mcp`, { method: 'POST', headers, body })).status
}

const RESULT = '"result": {"action":"accept", "content":{"n":1.0,"big":12345678901234567890}}'
const KEPT = '"result":{"action":"accept", "content":{"n":1.0,"big":12345678901234567890}}'

test('a question goes out on the stream of its call, and the answer comes back in its own bytes', async () => {
  const { one } = await openGate(1, { onCall: (it) => asker(elicit, () => one)(it) })
  const session = await initialize(one)
  const stream = await openStream(one, { session, body: call })
  const question = await stream.next()
  expect(question).toMatchObject({
    method: 'elicitation/create',
    params: { message: 'Your name?', requestedSchema: {} },
  })
  expect(await answer(one, session, question.id, RESULT)).toBe(202)
  expect(await stream.next()).toMatchObject({ id: 7, result: { reply: KEPT } })
})

test('the client may answer at any process, and to each question by itself', async () => {
  const { one, two } = await openGate(2, {
    async onCall({ session, outlet, end }) {
      const ask = (method: string) =>
        one.asking.ask(session, { method, params: '' }, { through: (message: Buffer) => outlet.ask(message) })
      end(JSON.stringify(await Promise.all([ask('roots/list'), ask('sampling/createMessage')])))
    },
  })
  const session = await initialize(one)
  const stream = await openStream(one, { session, body: call })
  const [roots, sampling] = [await stream.next(), await stream.next()]
  await answer(two, session, sampling.id, '"error":{"code":-1,"message":"no"}')
  await answer(two, session, roots.id, '"result":{"roots":[]}')
  expect(await stream.next()).toMatchObject({
    result: ['"result":{"roots":[]}', '"error":{"code":-1,"message":"no"}'],
  })
})

test('nobody else answers for a session, and what nobody asked is passed over', async () => {
  const { one } = await openGate(1, { onCall: (it) => asker(elicit, () => one)(it) })
  const session = await initialize(one)
  const other = await initialize(one)
  const stream = await openStream(one, { session, body: call })
  const { id } = await stream.next()
  expect(await answer(one, other, id, '"result":{"action":"accept"}')).toBe(202)
  for (const unknown of ['x-1', `${String(id)}0`, 1, null])
    expect(await answer(one, session, unknown, '"result":{}')).toBe(202)
  await answer(one, session, id, RESULT)
  await answer(one, session, id, '"result":{"action":"decline"}')
  expect(await stream.next()).toMatchObject({ result: { reply: KEPT } })
})

test.for([
  ['what the client did not declare', { capabilities: { sampling: {} } }, elicit],
  ['a mode that it did not declare', { capabilities: { elicitation: {} } }, { ...elicit, params: '{"mode":"url"}' }],
  ['what no client is asked', {}, { method: 'tools/list', params: '' }],
] as const)('%s is not asked', async ([, params, question]) => {
  const { one } = await openGate(1, { onCall: (it) => asker(question, () => one)(it) })
  const session = await initialize(one, params)
  const { body } = await post(one, call, { session })
  const { result }: { result: { reply: Reply } } = JSON.parse(body)
  expect(result.reply).toBe(cannotAsk(question))
  expect(JSON.parse(`{${result.reply}}`)).toMatchObject({ error: { code: -32601 } })
})

test('outside of any call a client is asked on its own stream; one that has none cannot be asked', async () => {
  const { one } = await openGate(1, { times: { elsewhereMs: 50 } })
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  const [watch] = one.servers.at(notes)
  const asked = watch?.watcher.ask(elicit)
  const question = await stream.next()
  await answer(one, session, question.id, RESULT)
  expect(await asked).toBe(KEPT)
  stream.cut()
  await stream.ended()
  one.streams.close()
  expect(await watch?.watcher.ask(elicit)).toBe(cannotAsk(elicit))
})

test('a client is asked on its own stream wherever that is, where its call has no stream', async () => {
  const { one, two } = await openGate(2, {
    async onCall({ session, end }) {
      end(JSON.stringify({ reply: await two.asking.ask(session, elicit, { through: () => false }) }))
    },
  })
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  const answered = post(two, call, { session })
  const question = await stream.next()
  await answer(one, session, question.id, RESULT)
  expect(JSON.parse((await answered).body)).toMatchObject({ result: { reply: KEPT } })
})

test('who says nothing in time is told that nobody waits any more', async () => {
  const { one } = await openGate(1, { times: { answerMs: 100 }, onCall: (it) => asker(elicit, () => one)(it) })
  const session = await initialize(one)
  const stream = await openStream(one, { session, body: call })
  const question = await stream.next()
  expect(await stream.next()).toMatchObject({ method: 'notifications/cancelled', params: { requestId: question.id } })
  expect(await stream.next()).toMatchObject({ id: 7, result: { reply: cannotAsk(elicit) } })
  expect(await answer(one, session, question.id, RESULT)).toBe(202)
})

test('a question ends with its call, and with the gate', async () => {
  const ending = new AbortController()
  const replies: Promise<Reply>[] = []
  const { one } = await openGate(1, {
    onCall({ session, outlet }) {
      const { signal } = ending
      replies.push(one.asking.ask(session, elicit, { through: (message: Buffer) => outlet.ask(message), signal }))
      replies.push(one.asking.ask(session, elicit, { through: (message: Buffer) => outlet.ask(message) }))
    },
  })
  const session = await initialize(one)
  const stream = await openStream(one, { session, body: call })
  const [first] = [await stream.next(), await stream.next()]
  ending.abort()
  expect(await replies[0]).toBe(cannotAsk(elicit))
  expect(await stream.next()).toMatchObject({ params: { requestId: first?.id } })
  one.asking.close()
  expect(await replies[1]).toBe(cannotAsk(elicit))
})

test('a question that its client lost with the connection is there when it comes back', async () => {
  const { one, two } = await openGate(2, { onCall: (it) => asker(elicit, () => one)(it) })
  const session = await initialize(one)
  const stream = await openStream(one, { session, body: call })
  await eventually(() => stream.lastId() !== undefined, 'primed')
  const primed = stream.events[0]?.id
  stream.cut()
  const again = await openStream(two, { session, after: primed })
  const question = await again.next()
  await answer(two, session, question.id, RESULT)
  expect(await again.next()).toMatchObject({ id: 7, result: { reply: KEPT } })
  await again.ended()
})
