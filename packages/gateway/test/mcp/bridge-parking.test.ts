import { describe, expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { codeOf } from '../stores/outcome.ts'
import {
  ACCEPT,
  answered,
  ARGUMENTS,
  askedCall,
  call,
  come,
  EVERYTHING,
  form,
  openGate,
  read,
  request,
  type Gate,
} from './bridge-scene.ts'

describe('a server that asks a client of the newer era in mid-call', () => {
  test('ends the response with its question, and has the reply when the client comes again; no byte is changed', async () => {
    const gate = openGate()
    const params = '{ "message":"Seat?","n": 1.50,"big":12345678901234567890 }'
    const { parked, results, state, reply } = await askedCall(gate, { method: 'elicitation/create', params })
    expect(parked.detached).toBe(true)
    expect(results).toEqual([
      `{"resultType":"input_required","inputRequests":{"q1":{"method":"elicitation/create","params":${params}}},"requestState":"${state}"}`,
    ])
    const coming = come(gate.parking, { state, said: { q1: ACCEPT } })
    expect(await reply).toBe(`"result":${ACCEPT}`)
    parked.finish(answered('booked'))
    expect(await coming).toEqual(answered('booked'))
    expect(gate.parking.size).toBe(0)
  })

  test('questions that come together go out together, a later one in the next round', async () => {
    const gate = openGate()
    const { parked, results } = call(gate.parking)
    const first = parked.ask(form)
    await gate.time.pass(2)
    const second = parked.ask({ method: 'roots/list', params: '' })
    await gate.time.pass(10)
    const { keys, state, questions } = read(results[0])
    expect(keys).toEqual(['q1', 'q2'])
    expect(questions['q2']).toEqual({ method: 'roots/list' })
    const third = parked.ask({ method: 'sampling/createMessage', params: '{"maxTokens":1}' })
    await gate.time.pass(50)
    expect(results).toHaveLength(1)

    const coming = come(gate.parking, { state, said: { q1: '{"a":1}', q2: '{"roots":[]}' } })
    expect([await first, await second]).toEqual(['"result":{"a":1}', '"result":{"roots":[]}'])
    await gate.time.pass(5)
    const next = read(await coming)
    expect(next.keys).toEqual(['q3'])
    const last = come(gate.parking, { state: next.state, said: { q3: '{"role":"assistant"}' } })
    expect(await third).toBe('"result":{"role":"assistant"}')
    parked.finish(answered('done'))
    expect(await last).toEqual(answered('done'))
  })

  test.each([
    ['nothing', {}],
    ['another key', { q9: '{}' }],
    ['a text', { q1: '"yes"' }],
    ['null', { q1: 'null' }],
    ['a list', { q1: '[{}]' }],
  ])('a client that says %s is asked the same again', async (_what, said) => {
    const gate = openGate()
    const { state, results, reply } = await askedCall(gate)
    expect(await come(gate.parking, { state, said })).toEqual({ kind: 'questions', result: results[0] })
    void come(gate.parking, { state, said: { q1: '{"action":"decline"}', more: '{}' } }).catch(() => {})
    expect(await reply).toBe('"result":{"action":"decline"}')
  })

  test('that leaves one of two out is asked both again, and neither is taken', async () => {
    const gate = openGate()
    const { parked, results } = call(gate.parking)
    const replies = [parked.ask(form), parked.ask(form)]
    await gate.time.pass(5)
    const { state } = read(results[0])
    expect(read(await come(gate.parking, { state, said: { q1: '{"x":1}' } })).keys).toEqual(['q1', 'q2'])
    void come(gate.parking, { state, said: { q1: '{"x":2}', q2: '{"x":3}' } }).catch(() => {})
    expect(await Promise.all(replies)).toEqual(['"result":{"x":2}', '"result":{"x":3}'])
  })

  test.each([
    ['nothing', '{}', form],
    ['only addresses', '{"elicitation":{"url":{}}}', form],
    [
      'only forms',
      '{"elicitation":{}}',
      { method: 'elicitation/create', params: '{"mode":"url","url":"https://x.example"}' },
    ],
    ['no tools', '{"sampling":{}}', { method: 'sampling/createMessage', params: '{"tools":[]}' }],
    ['no roots', '{"sampling":{}}', { method: 'roots/list', params: '' }],
    ['all there is', EVERYTHING, { method: 'constructor', params: '' }],
  ])('is told at once that a client which declared %s is not asked that', async (_what, capabilities, question) => {
    const gate = openGate()
    const { parked, results } = call(gate.parking, { capabilities })
    const reply = JSON.parse(`{${await parked.ask(question)}}`)
    expect(reply).toEqual({ error: { code: -32601, message: expect.stringContaining(question.method) } })
    await gate.time.pass(1_000)
    expect({ results, size: gate.parking.size, detached: parked.detached }).toEqual({
      results: [],
      size: 0,
      detached: false,
    })
  })

  test.each([
    ['{"elicitation":{}}', form],
    [
      '{"elicitation":{"url":{}}}',
      { method: 'elicitation/create', params: '{"mode":"url","url":"https://x.example"}' },
    ],
    ['{"sampling":{"tools":{}}}', { method: 'sampling/createMessage', params: '{"tools":[]}' }],
    ['{"roots":{"listChanged":true}}', { method: 'roots/list', params: '' }],
  ])('may ask a client with %s', async (capabilities, question) => {
    const gate = openGate()
    const { parked, results } = call(gate.parking, { capabilities })
    void parked.ask(question)
    await gate.time.pass(5)
    expect(read(results[0]).resultType).toBe('input_required')
  })

  test('may not where the answer to the method holds no questions', async () => {
    const gate = openGate()
    const { parked } = call(gate.parking, { request: request('{"ref":{}}', { method: 'completion/complete' }) })
    expect(await parked.ask(form)).toContain('"error"')
  })

  test('answers in the same breath: what it asked is not sent on', async () => {
    const gate = openGate()
    const { parked, results, aborted } = call(gate.parking)
    const reply = parked.ask(form)
    parked.finish(answered('never mind'))
    expect(await reply).toContain('"error"')
    await gate.time.pass(600_000)
    expect({ detached: parked.detached, results, aborted, size: gate.parking.size, timers: gate.time.waiting }).toEqual(
      {
        detached: false,
        results: [],
        aborted: [],
        size: 0,
        timers: 0,
      },
    )
  })
})

describe('a client whose connection breaks', () => {
  test('has the same answer when it comes with the same state again, for a minute; the server hears it once', async () => {
    const gate = openGate()
    const { parked, state, reply } = await askedCall(gate)
    const coming = come(gate.parking, { state, said: { q1: '{"first":1}' } })
    expect(await reply).toBe('"result":{"first":1}')
    parked.finish(answered('booked'))
    expect(await coming).toEqual(answered('booked'))
    await gate.time.pass(59_000)
    expect(await come(gate.parking, { state, said: { q1: '{"second":1}' } })).toEqual(answered('booked'))
    await gate.time.pass(2_000)
    expect(await codeOf(come(gate.parking, { state, said: { q1: '{"third":1}' } }))).toBe('call.lost')
    await gate.time.pass(600_000)
    expect(await codeOf(come(gate.parking, { state }))).toBe('call.expired')
    expect(gate.time.waiting).toBe(0)
  })

  test('while it waits leaves the call going; two that wait both have the answer', async () => {
    const gate = openGate()
    const { parked, state, aborted } = await askedCall(gate)
    const broken = new AbortController()
    const lost = come(gate.parking, { state, said: { q1: ACCEPT }, signal: broken.signal })
    await gate.time.pass(1)
    broken.abort(problem('request.cancelled'))
    expect(await codeOf(lost)).toBe('request.cancelled')
    const third = new AbortController()
    const leaving = come(gate.parking, { state, signal: third.signal })
    const two = [come(gate.parking, { state, said: { q1: ACCEPT } }), come(gate.parking, { state })]
    third.abort(problem('request.cancelled'))
    expect(await codeOf(leaving)).toBe('request.cancelled')
    await gate.time.pass(700_000)
    parked.finish(answered('late'))
    expect(await Promise.all(two)).toEqual([answered('late'), answered('late')])
    expect(aborted).toEqual([])
  })

  test('and who missed the next questions has them with the state of before; what it says again is not taken', async () => {
    const gate = openGate()
    const { parked, state } = await askedCall(gate)
    const lost = come(gate.parking, { state, said: { q1: ACCEPT } })
    const second = parked.ask(form)
    await gate.time.pass(5)
    const next = read(await lost)
    const again = read(await come(gate.parking, { state, said: { q1: ACCEPT, q2: '{"guessed":1}' } }))
    expect(again).toEqual(next)
    void come(gate.parking, { state: next.state, said: { q2: '{"meant":1}' } }).catch(() => {})
    expect(await second).toBe('"result":{"meant":1}')
  })

  test('has what came while nobody waited for as long as it could have answered', async () => {
    const gate = openGate()
    const { parked, state } = await askedCall(gate)
    parked.finish({ kind: 'failed', problem: problem('upstream.died', { server: 'travel' }) })
    await gate.time.pass(500_000)
    expect(await codeOf(come(gate.parking, { state, said: { q1: ACCEPT } }))).toBe('upstream.died')
    await gate.time.pass(60_001)
    expect(await codeOf(come(gate.parking, { state, said: { q1: ACCEPT } }))).toBe('call.lost')
  })
})

describe('a client that does not come', () => {
  test('has its call given up, and hears so when it comes after all', async () => {
    const gate = openGate()
    const { state, reply, aborted } = await askedCall(gate)
    await gate.time.pass(599_000)
    expect(aborted).toEqual([])
    await gate.time.pass(1_000)
    expect(aborted.map(({ code }) => code)).toEqual(['call.expired'])
    expect(aborted[0]?.message).toContain('travel')
    expect(await reply).toContain('"error"')
    expect(gate.parking.size).toBe(0)
    expect(await codeOf(come(gate.parking, { state, said: { q1: ACCEPT } }))).toBe('call.expired')
    await gate.time.pass(3_600_000)
    expect(await codeOf(come(gate.parking, { state, said: { q1: ACCEPT } }))).toBe('call.expired')
    expect(gate.time.waiting).toBe(0)
  })

  test('has its call given up as well after it was given more questions', async () => {
    const gate = openGate()
    const { parked, state, aborted } = await askedCall(gate)
    const coming = come(gate.parking, { state, said: { q1: ACCEPT } })
    void parked.ask(form)
    await gate.time.pass(5)
    expect(read(await coming).keys).toEqual(['q2'])
    await gate.time.pass(600_000)
    expect(aborted.map(({ code }) => code)).toEqual(['call.expired'])
  })

  test('has as long again each time it comes', async () => {
    const gate = openGate()
    const { state, aborted, reply } = await askedCall(gate)
    for (let times = 0; times < 3; times++) {
      await gate.time.pass(500_000)
      expect(read(await come(gate.parking, { state })).keys).toEqual(['q1'])
    }
    const broken = new AbortController()
    const lost = come(gate.parking, { state, said: { q1: ACCEPT }, signal: broken.signal })
    await reply
    await gate.time.pass(5_000_000)
    expect(aborted).toEqual([])
    broken.abort(problem('request.cancelled'))
    expect(await codeOf(lost)).toBe('request.cancelled')
    await gate.time.pass(600_000)
    expect(aborted.map(({ code }) => code)).toEqual(['call.expired'])
  })
})

describe('what a server tells', () => {
  const progress = (token: string) =>
    Buffer.from(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress": 1.0}}`,
    )

  function listen(gate: Gate, { state }: { state: string }, meta: string) {
    const told: string[] = []
    const coming = come(gate.parking, {
      state,
      params: `${ARGUMENTS}${meta}`,
      said: { q1: ACCEPT },
      notify: (message, method) => void told.push(`${method} ${message.toString()}`),
    })
    return { told, coming }
  }

  test('goes to the request that waits, with its own progress token', async () => {
    const gate = openGate()
    const asked = await askedCall(gate)
    asked.parked.notify(progress('"old"'), 'notifications/progress')
    const { told, coming } = listen(gate, asked, ',"_meta":{"progressToken": 1e1}')
    await asked.reply
    asked.parked.notify(progress('"old"'), 'notifications/progress')
    asked.parked.notify(Buffer.from('{"a":1}'), 'notifications/message')
    asked.parked.finish(answered('x'))
    await coming
    expect(told).toEqual([`notifications/progress ${progress('1e1').toString()}`, 'notifications/message {"a":1}'])
  })

  test('of its progress goes to none that did not ask for it', async () => {
    const gate = openGate()
    const asked = await askedCall(gate)
    const { told, coming } = listen(gate, asked, '')
    await asked.reply
    asked.parked.notify(progress('"old"'), 'notifications/progress')
    asked.parked.finish(answered('x'))
    await coming
    expect(told).toEqual([])
  })
})

test('a gate that stops ends every call, and asks nobody any more', async () => {
  const gate = openGate()
  const waiting = await askedCall(gate)
  const open = await askedCall(gate)
  const past = await askedCall(gate)
  past.parked.finish(answered('x'))
  const coming = come(gate.parking, { state: waiting.state, said: { q1: ACCEPT } })
  await waiting.reply
  await gate.parking.close()
  expect(await codeOf(coming)).toBe('gate.stopping')
  expect(await open.reply).toContain('"error"')
  for (const { aborted } of [waiting, open]) expect(aborted.map(({ code }) => code)).toEqual(['gate.stopping'])
  expect(await codeOf(come(gate.parking, { state: open.state }))).toBe('gate.stopping')
  expect(await call(gate.parking).parked.ask(form)).toContain('"error"')
  expect({ size: gate.parking.size, timers: gate.time.waiting }).toEqual({ size: 0, timers: 0 })
})
