import fc from 'fast-check'
import { objectText, ordered, otherMembers, space, stringText, type Member } from '../../fuzz/json-text.ts'
import { answerings } from './answers.ts'
import { LEVELS, METHODS, NAME, TOP_READ, URI, type Asking, type Case, type ClientKind, type Method } from './case.ts'
import { at, marked } from './marks.ts'

/** A request of any kind of client, and what its server does about it. */
export const cases: fc.Arbitrary<Case> = fc
  .tuple(
    fc.constantFrom('modern', 'legacy', 'session'),
    fc.constantFrom('server', 'server', 'merged'),
    fc.constantFrom(...METHODS),
  )
  .map(
    ([client, door, method]) =>
      [client, door, door === 'merged' && method === 'example/unheard-of' ? 'tools/call' : method] as const,
  )
  .chain(([client, door, method]) =>
    fc.record({
      client: fc.constant(client),
      door: fc.constant(door),
      asking: askings(client, method),
      answering: answerings(method),
    }),
  )

const idText = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1e3', '9007199254740991', '""', String.raw`"\u00fc"`, String.raw`"\ud800"`, '"1"'),
  fc.integer().map(String),
  stringText,
)

const tokenText = fc.oneof(
  fc.constantFrom('0', '1', '"1"', '""', String.raw`"\u0041"`),
  fc.integer().map(String),
  stringText,
)

/** Ways to write the same text. */
function spellings(text: string): fc.Arbitrary<string> {
  const [first = '', ...rest] = text
  const escaped = String.raw`\u` + first.charCodeAt(0).toString(16).padStart(4, '0')
  return fc.constantFrom(JSON.stringify(text), `"${escaped}${rest.join('')}"`)
}

const paramHeaders = fc.array(
  fc.tuple(fc.stringMatching(/^Mcp-Param-[A-Za-z0-9]{1,8}$/), fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)),
  { maxLength: 2 },
)

const PARAMS_READ =
  /^(?:name|uri|cursor|_meta|arguments|ref|argument|task|taskid|requeststate|inputresponses|level|params)$/i
const META_READ = /^(?:progresstoken|io\.modelcontextprotocol\/.*)$/i

/** @see MCP 2026-07-28, basic/index#_meta, and W3C Trace Context */
const TRACE: readonly Member[] = [
  ['"traceparent"', '"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"'],
  ['"tracestate"', '"a=1 , b=\\u0032"', ' '],
]

const ENVELOPE: readonly Member[] = [
  ['"io.modelcontextprotocol/protocolVersion"', '"2026-07-28"'],
  ['"io.modelcontextprotocol/clientInfo"', '{"name":"odd", "version":"1.0","x":1.0}'],
  ['"io.modelcontextprotocol/clientCapabilities"', '{ "example":{"n":1.0} }'],
]

function askings(client: ClientKind, method: Method): fc.Arbitrary<Asking> {
  const kind = method === 'resources/read' ? 'uri' : method === 'example/unheard-of' ? 'none' : 'name'
  const value = kind === 'uri' ? URI : NAME
  return fc
    .record({
      id: idText,
      token: fc.option(tokenText, { nil: undefined }),
      meta: fc.boolean(),
      params: fc.boolean(),
      logLevel: fc.option(fc.constantFrom(...LEVELS), { nil: undefined }),
      spelled: spellings(value),
      args: otherMembers(/^$/),
      ofParams: otherMembers(PARAMS_READ),
      ofMeta: otherMembers(META_READ),
      ofTop: otherMembers(TOP_READ),
      isTraced: fc.boolean(),
      order: fc.nat(20),
      white: space,
      paramHeaders,
    })
    .map((made) => {
      const isModern = client === 'modern'
      const has = {
        params: isModern || kind !== 'none' || made.params,
        meta: isModern || (made.meta && (kind !== 'none' || made.params)),
      }
      const token = has.meta ? made.token : undefined
      const logLevel = isModern ? made.logLevel : undefined
      const metaMembers = ordered(
        [
          ...(isModern ? ENVELOPE : []),
          ...(logLevel === undefined
            ? []
            : [['"io.modelcontextprotocol/logLevel"', JSON.stringify(logLevel)] as const]),
          ...(token === undefined ? [] : [['"progressToken"', at('token'), made.white] as const]),
          ...(made.isTraced ? TRACE : []),
          ...made.ofMeta,
        ],
        made.order,
      )
      const params = ordered<Member>(
        [
          ...(has.meta ? [['"_meta"', marked('meta', objectText(metaMembers))] as const] : []),
          ...targetMembers(method, made.args),
          ...made.ofParams,
        ],
        made.order + 1,
      )
      const top = ordered<Member>(
        [
          ['"jsonrpc"', '"2.0"', made.white],
          ['"id"', `${at('id')}${at('end')}`, made.white],
          ['"method"', JSON.stringify(method)],
          ...(has.params ? [['"params"', marked('params', objectText(params)), made.white] as const] : []),
          ...made.ofTop,
        ],
        made.order + 2,
      )
      return {
        method,
        text: made.white + objectText(top) + made.white,
        id: made.id,
        token,
        logLevel,
        own: { kind, value, spelled: made.spelled },
        isEmpty: { meta: metaMembers.length === 0, params: params.length === 0 },
        has,
        paramHeaders: made.paramHeaders.flat(),
      } satisfies Asking
    })
}

function targetMembers(method: Method, args: readonly Member[]): readonly Member[] {
  switch (method) {
    case 'tools/call':
    case 'prompts/get':
      return [
        ['"name"', at('name')],
        ['"arguments"', objectText(args)],
      ]
    case 'resources/read':
      return [['"uri"', at('uri')]]
    case 'completion/complete':
      return [
        [
          '"ref"',
          objectText([
            ['"type"', '"ref/prompt"', ' '],
            ...args.filter(([key]) => !/type|name|uri|\\/i.test(key)),
            ['"name"', at('name')],
          ]),
        ],
        ['"argument"', '{"name":"a","value":"b"}'],
      ]
    case 'example/unheard-of':
      return []
  }
}
