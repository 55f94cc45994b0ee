import fc from 'fast-check'
import {
  jsonText,
  numberText,
  objectText,
  ordered,
  otherMembers,
  space,
  stringText,
  type Member,
} from '../../fuzz/json-text.ts'
import { LEVELS, TOP_READ, type Answering, type Method, type Told } from './case.ts'
import { at, marked } from './marks.ts'

const BLOCK_READ = /^(?:type|uri|resource|content|contents|messages|_meta)$/i
/** What is about tasks and questions is changed by intent, and has tests of its own. */
const RESULT_READ =
  /^(?:type|uri|resource|content|contents|messages|_meta|result|resulttype|task|tasks|taskid|requeststate|inputrequests)$/i

const uriText = fc.constantFrom('odd:thing', 'file:///a%20b', '', '日本', String.raw`\u0061:b`)

/** A link or a resource within carries a URI; a block of a kind that nobody knows is left alone, whatever is in it. */
const blockText = fc
  .tuple(fc.constantFrom('text', 'resource_link', 'resource', 'hologram'), uriText, otherMembers(BLOCK_READ), fc.nat(9))
  .map(([type, uri, others, order]) => {
    const members: Member[] = [['"type"', JSON.stringify(type)], ...others]
    const marked = `"${at('uri')}${uri}"`
    if (type === 'resource_link') members.push(['"uri"', marked])
    else if (type === 'resource')
      members.push([
        '"resource"',
        objectText([
          ['"uri"', marked, ' '],
          ['"text"', '"x"'],
        ]),
      ])
    else members.push(['"uri"', `"${uri}"`])
    return objectText(ordered(members, order))
  })

const blocks = fc
  .array(fc.tuple(blockText, space), { maxLength: 3 })
  .map((all) => `[${all.map((one) => one.join('')).join(',')}]`)

function held(method: Method): fc.Arbitrary<readonly Member[]> {
  switch (method) {
    case 'tools/call':
      return blocks.map((text) => [['"content"', text]])
    case 'prompts/get':
      return fc
        .tuple(blockText, blocks)
        .map(([one, several]) => [
          ['"messages"', `[{"role":"user","content":${one}} , {"role":"x","content":${several},"x":1.0}]`],
        ])
    case 'resources/read':
      return fc
        .tuple(uriText, otherMembers(BLOCK_READ))
        .map(([uri, others]) => [['"contents"', `[${objectText([['"uri"', `"${at('uri')}${uri}"`], ...others])}]`]])
    case 'completion/complete':
    case 'example/unheard-of':
      return fc.constant([])
  }
}

const resultType = fc.constantFrom(undefined, undefined, '"complete"', '"example/odd"', '7')

interface Outcome {
  readonly member: Member
  readonly code: string
  readonly result: Answering['result']
}

function results(method: Method): fc.Arbitrary<Outcome> {
  const object = fc
    .record({
      held: held(method),
      type: resultType,
      others: otherMembers(RESULT_READ),
      meta: fc.option(otherMembers(/related-task/)),
      order: fc.nat(20),
    })
    .map(({ held, type, others, meta, order }): Outcome => {
      const members = ordered<Member>(
        [
          ...held,
          ...others,
          ...(type === undefined ? [] : [['"resultType"', type, ' '] as const]),
          ...(meta === null ? [] : [['"_meta"', objectText(meta)] as const]),
        ],
        order,
      )
      const result = { isObject: true, isEmpty: members.length === 0, hasType: type !== undefined }
      return { member: ['"result"', marked('result', objectText(members))], code: '', result }
    })
  const scalar = fc
    .oneof(numberText, stringText, fc.constantFrom('null', '[]', '[{"type":"resource_link","uri":"x:y"}]'))
    .map((text): Outcome => ({ member: ['"result"', text], code: '', result: NO_OBJECT }))
  return fc.oneof({ weight: 12, arbitrary: object }, { weight: 1, arbitrary: scalar })
}

const NO_OBJECT = { isObject: false, isEmpty: false, hasType: false }

const errors = fc
  .record({
    code: fc.constantFrom('-32603', '-32050', '-32602', '-32002', '1', '-3.20e4', '-32601'),
    message: stringText,
    data: fc.option(jsonText),
    others: otherMembers(/^(?:code|message|data)$/i),
    order: fc.nat(9),
  })
  .map(({ code, message, data, others, order }): Outcome => {
    const members: Member[] = [['"code"', at('code')], ['"message"', message], ...others]
    if (data !== null) members.push(['"data"', data, '\t'])
    return { member: ['"error"', objectText(ordered(members, order))], code, result: NO_OBJECT }
  })

const toldOne: fc.Arbitrary<Told> = fc
  .record({
    kind: fc.constantFrom('progress', 'log', 'other'),
    level: fc.constantFrom(...LEVELS),
    others: otherMembers(/^(?:progresstoken|level|_meta|name|uri|cursor|taskid)$/i),
    ofTop: otherMembers(TOP_READ),
    order: fc.nat(20),
    white: space,
  })
  .map(({ kind, level, others, ofTop, order, white }) => {
    const own: Record<Told['kind'], readonly Member[]> = {
      progress: [
        ['"progressToken"', at('token'), white],
        ['"progress"', '0.50'],
      ],
      log: [['"level"', JSON.stringify(level)]],
      other: [],
    }
    const method = {
      progress: 'notifications/progress',
      log: 'notifications/message',
      other: 'notifications/example/odd',
    }[kind]
    const params = objectText(ordered([...own[kind], ...others], order))
    const top: Member[] = [
      ['"jsonrpc"', '"2.0"'],
      ['"method"', JSON.stringify(method), white],
      ['"params"', params],
      ...ofTop,
    ]
    return { kind, level, text: objectText(ordered(top, order + 1)) }
  })

/** What a server may do about a request of that method. */
export function answerings(method: Method): fc.Arbitrary<Answering> {
  return fc
    .record({
      outcome: fc.oneof({ weight: 5, arbitrary: results(method) }, { weight: 1, arbitrary: errors }),
      told: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(toldOne, { maxLength: 3 }) },
      ),
      ofTop: otherMembers(TOP_READ),
      order: fc.nat(20),
      white: space,
      isEvents: fc.boolean(),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      pieces: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }),
    })
    .map(({ outcome, told, ofTop, order, white, isEvents, lineEnd, pieces }): Answering => {
      const top = ordered<Member>(
        [['"jsonrpc"', '"2.0"', white], ['"id"', at('id'), white], outcome.member, ...ofTop],
        order,
      )
      return {
        told,
        text: white + objectText(top) + white,
        code: outcome.code,
        result: outcome.result,
        framing: isEvents || told.length > 0 ? 'events' : 'json',
        lineEnd,
        pieces,
      }
    })
}
