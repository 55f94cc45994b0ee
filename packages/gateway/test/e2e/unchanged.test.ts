import { expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { eras, headersOf, type Era } from './eras.ts'
import { addPerson, childServer, doorOf, type Person } from './place.ts'
import { startScripted, type Answer, type Asked, type Scripted } from './scripted.ts'
import { namesOf, post, type Reply } from './wire.ts'

/** Everything that a parser, a schema or a second writing would change or lose. */
const ODD_MEMBERS = [
  '"big": 12345678901234567890',
  '"real":1.0,"zero":-0,  "huge":1e400,"small":1E-7',
  '"twice":1,"twice":2',
  '"__proto__":{"polluted":true}, "constructor":null',
  String.raw`"escaped":"\u0065\u0301 \/ \ud83d\ude00 \ud800"`,
  '"unicode":"é 😀 日本 \u2028 \u2029"',
  '"unknown" :\t{"deep":[[[{ }]], [ ]]}',
  '"_meta":{"example.com/trace":{"id":98765432109876543210},"progress":null}',
].join(' , ')

const ODD_CONTENT = [
  '{"type":"text","text":"plain","annotations":{"audience":["user"],"priority":0.50,"x-new":1},"_meta":{"a":1}}',
  '{"type":"hologram","data":"????","frames":[1,2,3]}',
  '{"type":"resource_link","uri":"odd:thing","name":"n","icons":[{"src":"data:,","sizes":["any"],"theme":"dim"}]}',
].join(' ,\t')

const ODD_RESULT = `{ "content":[${ODD_CONTENT}], ${ODD_MEMBERS}, "resultType":"complete" }`
const LARGE_RESULT = `{"content":[{"type":"text","text":"${'é '.repeat(150_000)}"}],${ODD_MEMBERS},"resultType":"complete"}`

const ODD_TOOL = `{ "title":"T", "name" : "odd" , "inputSchema":{"type":"object","$comment":"x","properties":{"n":{"maximum":12345678901234567890}}}, "icons":[{"src":"data:,"}], "annotations":{"readOnlyHint":true,"x":1.0}, ${ODD_MEMBERS} }`

function odd({ method, id, name }: Asked): Answer {
  const idText = JSON.stringify(id)
  const answer = (result: string) => ({
    body: ` {"result" :${result},\n"id":${idText}, "jsonrpc":"2.0","x-extra":[1.0]}\n`,
  })
  switch (method) {
    case 'server/discover':
      return answer('{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}')
    case 'initialize':
      return answer(
        '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"o","version":"1"}}',
      )
    case 'tools/list':
      return answer(
        `{"tools":[${ODD_TOOL},{"name":"large"},{"name":"streamed"},{"name":"failing"}],"resultType":"complete"}`,
      )
    default:
      return oddCall(name, idText, answer)
  }
}

function oddCall(name: string | undefined, idText: string, answer: (result: string) => Answer): Answer {
  switch (name ?? '') {
    case 'large':
      return answer(LARGE_RESULT)
    case 'failing':
      return {
        body: `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32050,"message":"é","data":{${ODD_MEMBERS}},"x":1.0}}`,
      }
    case 'streamed': {
      const progress = `{"method":"notifications/progress","jsonrpc":"2.0","params":{"progressToken":"t","progress":0.50,${ODD_MEMBERS}}}`
      const last = `{"jsonrpc":"2.0","id":${idText},"result":${ODD_RESULT}}`
      return { contentType: 'text/event-stream', body: `data: ${progress}\n\nevent: message\ndata: ${last}\n\n` }
    }
    default:
      return answer(ODD_RESULT)
  }
}

/** A call as odd as an answer can be. In the modern era it has to carry the envelope. */
function oddCallOf(era: Era, name: string): string {
  const envelope =
    '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"x":1.0},'
  const meta = `"_meta" : {${era === 'modern' ? envelope : ''}"progressToken":"t","example.com/n":12345678901234567890}`
  const odd = ODD_MEMBERS.replace(/"_meta":.*$/, '"last":0')
  return `{ "x-extra":1.0,"params":{ ${meta}, "name" : "${name}","arguments":{${odd}},"unknown":[1.0] },\t"method":"tools/call","id":"ü-1","jsonrpc":"2.0"}`
}

interface Scene extends AsyncDisposable {
  readonly upstream: Scripted
  readonly gate: Gate
  readonly ada: Person
}

async function openScene(): Promise<Scene> {
  const upstream = await startScripted(odd)
  const gate = await startGate({ config: { mcpServers: { odd: { url: upstream.url }, child: childServer() } } })
  const ada = await addPerson(gate, 'ada')
  return {
    upstream,
    gate,
    ada,
    async [Symbol.asyncDispose]() {
      await gate.stop()
      await upstream.close()
    },
  }
}

function call(url: string, key: string, era: Era, name: string): Promise<Reply> {
  return post({ url, key }, oddCallOf(era, name), headersOf(era, 'tools/call', { name }))
}

test('answers, errors, large answers and progress come through byte for byte, but for URIs of resources on /mcp', async () => {
  await using scene = await openScene()
  const { upstream, gate, ada } = scene
  for (const era of eras) {
    for (const tool of ['odd', 'large', 'failing', 'streamed']) {
      const direct = await call(upstream.url, '', era, tool)
      expect(direct.messages.join()).toContain('12345678901234567890')
      const through = {
        server: await call(doorOf(gate, ada, era, 'odd').url, ada.key, era, tool),
        merged: await call(doorOf(gate, ada, era).url, ada.key, era, `odd__${tool}`),
      }
      for (const [door, reply] of Object.entries(through)) {
        expect([era, tool, door, reply.status]).toEqual([era, tool, door, direct.status])
        const expected = door === 'merged' ? withServer(textOf(tool, direct)) : textOf(tool, direct)
        expect([era, tool, door, textOf(tool, reply)]).toEqual([era, tool, door, expected])
      }
    }
  }
})

/** On the merged endpoint a link says which server it leads to. */
function withServer(text: string): string {
  return text.replaceAll('"uri":"odd:thing"', '"uri":"odd+odd:thing"')
}

/** All of it; of an event stream the messages, since how they are framed is of the connection. */
function textOf(tool: string, { messages, bytes }: Reply): string {
  return tool === 'streamed' ? messages.join('\n') : bytes.toString()
}

test('a request reaches its server byte for byte, but for the name of the tool on /mcp', async () => {
  await using scene = await openScene()
  const { upstream, gate, ada } = scene
  for (const era of eras) {
    const sent = oddCallOf(era, 'odd')
    await call(doorOf(gate, ada, era, 'odd').url, ada.key, era, 'odd')
    expect(upstream.asked.at(-1)?.body.toString()).toBe(sent)
    await call(doorOf(gate, ada, era).url, ada.key, era, 'odd__odd')
    expect(upstream.asked.at(-1)?.body.toString()).toBe(sent)
  }
})

test('a tool’s description comes through byte for byte, but for its name on /mcp', async () => {
  await using scene = await openScene()
  const { gate, ada } = scene
  for (const era of eras) {
    const list = (server?: string) => {
      const { url, key } = doorOf(gate, ada, era, server)
      const params = era === 'modern' ? oddListParams : ''
      return post(
        { url, key },
        `{"jsonrpc":"2.0","id":1,"method":"tools/list"${params}}`,
        headersOf(era, 'tools/list', {}),
      )
    }
    expect((await list('odd')).bytes.toString()).toContain(ODD_TOOL)
    expect((await list()).bytes.toString()).toContain(ODD_TOOL.replace('"odd"', '"odd__odd"'))
  }
})

const oddListParams =
  ',"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}'

test('what a stdio server answers comes through byte for byte, but for the id, which is the client’s own', async () => {
  await using scene = await openScene()
  const { gate, ada } = scene
  await namesOf(doorOf(gate, ada, 'legacy', 'child'))
  const params = { name: 'raw', arguments: { result: ODD_RESULT } }
  const body = `{"jsonrpc":"2.0","id":"ü-1","method":"tools/call","params":${JSON.stringify(params)}}`
  const { url, key } = doorOf(gate, ada, 'legacy', 'child')
  const { bytes } = await post({ url, key }, body, headersOf('legacy', 'tools/call', params))
  expect(bytes.toString()).toBe(`{"jsonrpc":"2.0","id":"ü-1","result":${ODD_RESULT}}`)
})
