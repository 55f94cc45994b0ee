import { describe, expect, test } from 'vitest'
import { readParamHeaders } from '../../src/registry/param-headers.ts'
import { asker, httpServer, openScene } from './scene.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const wanted = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name })

describe('arguments that a tool wants as headers', () => {
  test('are found at any depth of properties, in the spelling of their server', () => {
    const schema = object({
      region: wanted('Region'),
      options: object({ limit: wanted('Max-Rows', 'integer'), dry: wanted('Dry', 'boolean') }),
      query: { type: 'string' },
    })
    const found = readParamHeaders(schema)
    expect(found).toHaveLength(3)
    expect(found).toEqual(
      expect.arrayContaining([
        { header: 'Mcp-Param-Region', lowerCase: 'mcp-param-region', path: ['region'] },
        { header: 'Mcp-Param-Max-Rows', lowerCase: 'mcp-param-max-rows', path: ['options', 'limit'] },
        { header: 'Mcp-Param-Dry', lowerCase: 'mcp-param-dry', path: ['options', 'dry'] },
      ]),
    )
  })

  test('are none in nearly every tool, also where a property or a value only looks like it', () => {
    expect(readParamHeaders(undefined)).toBeUndefined()
    expect(readParamHeaders(true)).toBeUndefined()
    expect(readParamHeaders(object({ 'x-mcp-header': { type: 'string' } }))).toBeUndefined()
    expect(readParamHeaders(object({ a: { default: { 'x-mcp-header': 'A' } } }))).toBeUndefined()
  })

  test.for([
    ['an empty name', object({ a: wanted('') })],
    ['a name that is no text', object({ a: wanted(1) })],
    ['an object', object({ a: wanted('A', 'object') })],
    ['an array', object({ a: { ...wanted('A', 'array'), items: { type: 'string' } } })],
    ['null', object({ a: wanted('A', 'null') })],
    ['a number, whose text differs from language to language', object({ a: wanted('A', 'number') })],
    ['several types', object({ a: wanted('A', ['string', 'null']) })],
    ['no type', object({ a: { 'x-mcp-header': 'A' } })],
    ['the same name twice', object({ a: wanted('Region'), b: wanted('Region') })],
    ['the same name in another case', object({ a: wanted('MyField'), b: object({ c: wanted('myfield') }) })],
    ['a space', object({ a: wanted('My Region') })],
    ['a colon', object({ a: wanted('Region:Primary') })],
    ['a letter beyond ASCII', object({ a: wanted('Région') })],
    ['a control character', object({ a: wanted('Region\t1') })],
    ['a line break', object({ a: wanted('Region\r\nX: 1') })],
    ['the arguments as a whole', { ...object({}), ...wanted('A') }],
    ['an element of a list', object({ a: { type: 'array', items: wanted('A') } })],
    ['one of several', object({ a: { anyOf: [wanted('A')] } })],
    ['a definition', object({}, { $defs: { a: wanted('A') } })],
    ['a property that only a condition makes', object({}, { else: object({ a: wanted('A') }) })],
    ['a property of any name', object({}, { patternProperties: { '^a': wanted('A') } })],
  ] as const)('are not allowed to be, or to be called, %s', ([, schema]) => {
    expect(readParamHeaders(schema)).toBe('invalid')
  })

  test('are looked for without end of the stack or of time, however deep a schema goes', () => {
    const deep = (levels: number) =>
      JSON.parse(`${'{"properties":{"a":'.repeat(levels)}{"type":"string","x-mcp-header":"A"}${'}}'.repeat(levels)}`)
    expect(readParamHeaders(deep(20))).toMatchObject([{ header: 'Mcp-Param-A' }])
    expect(readParamHeaders(deep(50_000))).toBe('invalid')
  })
})

test('a tool that asks for headers in a way that is not allowed is shown to nobody; all the others are', async () => {
  const tools = [
    { name: 'valid_tool', inputSchema: object({ region: wanted('Region') }) },
    { name: 'invalid_number_header', inputSchema: object({ score: wanted('Score', 'number') }) },
    { name: 'plain', inputSchema: object({}) },
  ]
  const scene = openScene({ servers: [httpServer('maps', { 'tools/list': JSON.stringify({ tools }) })] })
  const [standing] = await scene.registry.list(asker(), 'tools')
  expect(standing?.items.map(({ name, paramHeaders }) => [name, paramHeaders?.length])).toEqual([
    ['valid_tool', 1],
    ['plain', undefined],
  ])
  expect(scene.logged).toEqual([
    {
      event: 'registry.items_left_out',
      facts: {
        server: 'maps',
        kind: 'tools',
        count: 1,
        first: ['invalid_number_header: x-mcp-header where or as it is not allowed'],
      },
    },
  ])
})
