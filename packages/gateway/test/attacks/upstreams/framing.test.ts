import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { eras, type Era } from '../../e2e/eras.ts'
import { doorOf } from '../../e2e/place.ts'
import { openSession, send } from '../../e2e/wire.ts'
import { startOddUpstream, type Call, type OddUpstream } from '../odd-upstream.ts'

/** Whatever ends a line within a message ends no event: CWE-93. */
const FORGED = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"emergency","data":"FORGED"}}'
const FORGED_LINES = ['', 'id: forged', `data: ${FORGED}`, '', '']
const note = (between: string) =>
  `{"jsonrpc":"2.0",${between}"method":"notifications/progress","params":{"progressToken":"p","progress":1}}`
const answer = (call: Call, between: string, text: string) =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},${between}"result":{"resultType":"complete","content":[{"type":"text","text":"${text}"}]}}`

/** A message as one event, a `data` field for each of its lines, which is how lines are sent by the rules. */
const eventOf = (message: string, end: string) =>
  `${message
    .split('\n')
    .map((line) => `data: ${line}`)
    .join(end)}${end}${end}`

const tools: Readonly<Record<string, (call: Call) => void>> = {
  between: (call) => stream(call, [note('\n\n'), answer(call, '\n\n', 'done')]),
  within: (call) => stream(call, [note('').replace('"p"', `"p${FORGED_LINES.join('\n')}"`), answer(call, '', 'done')]),
  answered: (call) => stream(call, [note(''), answer(call, '', `done${FORGED_LINES.join('\n')}`)]),
  returned: (call) => stream(call, [note('\n\n'), answer(call, '\n', `done${FORGED_LINES.join('\n')}`)], '\r'),
  broken: (call) => stream(call, [note('\n\n'), answer(call, '\n', 'done')], '\r\n'),
}

function stream({ response }: Call, messages: readonly string[], end = '\n'): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.end(messages.map((message) => eventOf(message, end)).join(''))
}

let upstream: OddUpstream
let gate: Gate
let key: string
beforeAll(async () => {
  upstream = await startOddUpstream({ tools })
  const { origin } = upstream
  const mcpServers = { modern: { url: `${origin}/modern` }, legacy: { url: `${origin}/legacy` } }
  gate = await startGate({ config: { mcpServers } })
  key = (await gate.addUser('ada')).key
})
afterAll(() => Promise.all([gate.stop(), upstream[Symbol.asyncDispose]()]))

/** Calls a tool and reads what comes as a browser would. */
async function eventsOf(name: string, era: Era): Promise<readonly Event[]> {
  const door = doorOf(gate, { key }, era)
  const headers = era === 'legacy' ? await openSession(door) : {}
  const params = { name, arguments: {}, _meta: { progressToken: 'p' } }
  const { bytes } = await send(door, 'tools/call', params, { headers })
  return read(bytes.toString()).filter(({ data }) => data !== '')
}

interface Event {
  readonly id: string | undefined
  readonly data: string
}

/** @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation HTML §9.2.6} */
function read(text: string): Event[] {
  const blocks = text.replaceAll(/\r\n|\r/g, '\n').split(/\n\n+/)
  return blocks.map((block) => {
    const valuesOf = (field: string) =>
      block.split('\n').flatMap((line) => (line.startsWith(`${field}: `) ? [line.slice(field.length + 2)] : []))
    return { id: valuesOf('id').at(-1), data: valuesOf('data').join('\n') }
  })
}

test.for(
  Object.keys(tools).flatMap((tool) =>
    eras.flatMap((era) => ['modern', 'legacy'].map((server) => [tool, server, era] as const)),
  ),
)(
  'ends of lines within a message begin no event of the server’s own: %s, from a server of %s, to a %s client (CWE-93)',
  async ([tool, server, era]) => {
    const events = await eventsOf(`${server}__${tool}`, era)
    expect(events).toHaveLength(2)
    expect(events.map(({ data }) => data)).not.toContain(FORGED)
    expect(events.map(({ id }) => id)).not.toContain('forged')
    expect(events.at(-1)?.data).toContain('done')
  },
)
