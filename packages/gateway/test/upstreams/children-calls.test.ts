import { describe, expect, test } from 'vitest'
import {
  ada,
  bob,
  cancelled,
  exchangeOf,
  failureOf,
  odd,
  openPlace,
  textOf,
  toolCall,
  until,
} from './children-harness.ts'

describe('many callers through one pipe', () => {
  test('each gets the answer to their own request, under the very id they used', async () => {
    await using place = openPlace()
    const ids = ['"a"', '1', '"1"', '9007199254740991', '"ünï"']
    const answers = await Promise.all(
      ids.map((id) => {
        const json = `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","arguments":{"for":${id}}},"id":${id}}`
        return place.call(ada, odd(), exchangeOf(json))
      }),
    )
    for (const [index, id] of ids.entries()) {
      expect(answers[index]).toContain(`"id":${id},`)
      expect(JSON.parse(textOf(answers[index] ?? ''))).toMatchObject({ arguments: { for: JSON.parse(id) } })
    }
    expect(new Set(place.children.list().map(({ pid }) => pid)).size).toBe(1)
  })

  test('a request written over many lines arrives whole, every other byte as it was', async () => {
    await using place = openPlace()
    const json =
      '{\n "method": "tools/call",\r\n "params": {"name":"line", "n":12345678901234567890,\n"é":"\\u00e9" }, "jsonrpc":"2.0"'
    const line = textOf(await place.call(ada, odd(), exchangeOf(`${json}, "id": "mine"}`)))
    expect(line.replace(/"id": \d+}$/, '"id": "mine"}')).toBe(`${json.replaceAll(/[\r\n]/g, ' ')}, "id": "mine"}`)
  })

  test('progress goes to the call it belongs to, with the token of its client, before the answer', async () => {
    await using place = openPlace()
    const call = (token: string) => {
      const seen: string[] = []
      const json = `{"jsonrpc":"2.0","id":${token},"method":"tools/call","params":{"_meta":{"x":1,"progressToken":${token}},"name":"progress"}}`
      const answer = place.call(
        ada,
        odd(),
        exchangeOf(json, { notify: (message) => void seen.push(message.toString()) }),
      )
      return answer.then((bytes) => ({ seen: [...seen], childToken: textOf(bytes) }))
    }
    const [one, other] = await Promise.all([call('"same"'), call('7')])
    expect(one.seen.map((each) => JSON.parse(each).params)).toEqual([
      { progressToken: 'same', progress: 1, total: 2 },
      { progressToken: 'same', progress: 2, total: 2 },
    ])
    expect(other.seen.map((each) => JSON.parse(each).params.progressToken)).toEqual([7, 7])
    expect(one.childToken).not.toBe(other.childToken)
  })

  test('a cancelled call ends at once with its reason; the server is told, and its late answer reaches nobody', async () => {
    await using place = openPlace()
    const exchange = toolCall('late')
    const answer = failureOf(place.call(ada, odd(), exchange))
    await until(() => place.children.list()[0]?.pending === 1)
    exchange.abort(cancelled())
    expect((await answer).code).toBe('request.cancelled')
    await until(async () => (await place.tool(ada, odd(), 'seen')).includes('notifications/cancelled'))
    const seen: { method: string; params: object }[] = JSON.parse(await place.tool(ada, odd(), 'seen'))
    expect(seen.at(-1)?.params).toMatchObject({ requestId: expect.any(Number), reason: 'The request was cancelled.' })
    expect(await place.tool(ada, odd(), 'echo', { still: 'fine' })).toContain('fine')
  })

  test('a call that was cancelled before it was made reaches no server', async () => {
    await using place = openPlace()
    const exchange = toolCall('echo')
    exchange.abort(cancelled())
    expect((await failureOf(place.call(ada, odd(), exchange))).code).toBe('request.cancelled')
  })

  test('answers in a batch, with carriage returns, and after junk are understood', async () => {
    await using place = openPlace()
    expect(await place.call(ada, odd('junk'), toolCall('batch'))).toBe(
      '{"jsonrpc":"2.0","id":"a","result":{"from":"batch"}}',
    )
    expect(await place.call(ada, odd('junk'), toolCall('pretty'))).toBe('{"jsonrpc":"2.0", "id":"a","result":{}}')
    expect(await place.tool(ada, odd('junk'), 'junk')).toBe('after junk')
    const log = place.children.logs(ada)
    for (const line of ['Welcome!', 'hello, I am a log line', '{"not":"rpc"}', '{cut off', '[info] started']) {
      expect(log).toContain(`[not MCP] ${line}\n`)
    }
    expect(place.logged.join('\n')).not.toContain('log line')
  })
})

describe('what a server asks and tells on its own account', () => {
  test('a ping is answered, anything else refused', async () => {
    await using place = openPlace()
    expect(JSON.parse(await place.tool(ada, odd(), 'ask'))).toEqual([
      { jsonrpc: '2.0', id: 'p', result: {} },
      { jsonrpc: '2.0', id: 's', error: { code: -32601, message: 'This client does not serve that method.' } },
    ])
  })

  test('what it tells is heard by the gate, which is told whose child it is', async () => {
    const heard: unknown[] = []
    await using place = openPlace({}, { onNotification: ({ method }, owner) => void heard.push([method, owner]) })
    await place.tool(bob, odd(), 'tell')
    const owner = { tenant: bob.tenant, userId: bob.userId, upstream: bob.upstream }
    expect(heard).toEqual([['notifications/tools/list_changed', owner]])
  })
})
