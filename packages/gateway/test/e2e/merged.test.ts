import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startEverything } from '../../../playground/src/everything/http.ts'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { eras } from './eras.ts'
import { addPerson, doorOf } from './place.ts'
import { errorOf, resultOf, send, type Door, type Sending } from './wire.ts'

const BIN = join(import.meta.dirname, '../../../playground/src/everything/bin.ts')

interface Named {
  readonly name: string
  readonly uri: string
  readonly uriTemplate: string
}

/** All of a list, in whatever number of pages. */
async function listAll(door: Door, method: string, member: string): Promise<Named[]> {
  const all: Named[] = []
  let cursor: string | undefined
  do {
    const page: Record<string, unknown> = resultOf(await send(door, method, cursor === undefined ? {} : { cursor }))
    all.push(...(page[member] as Named[]))
    cursor = page['nextCursor'] as string | undefined
  } while (cursor !== undefined)
  return all
}

const readBy = (uri: string): Sending => ({ headers: { 'Mcp-Name': uri } })

async function read(door: Door, uri: string): Promise<unknown> {
  const { contents }: { contents: unknown } = resultOf(await send(door, 'resources/read', { uri }, readBy(uri)))
  return contents
}

/** The same with the server's name before the URI of what was read. */
function withServer(server: string, value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('"uri":"', `"uri":"${server}+`))
}

describe.for(['both', 'legacy', 'modern'] as const)('of servers that speak %s', (era) => {
  test(
    'prompts, resources and templates are on /mcp with their server’s name, and each leads to the right one',
    { timeout: 120_000 },
    async () => {
      await using web = await startEverything({ port: 0, era })
      const child = { command: process.execPath, args: [BIN, '--stdio', '--era', era] }
      await using gate = await startGate({ config: { mcpServers: { web: { url: web.url }, child } } })
      const ada = await addPerson(gate, 'ada')
      for (const clientEra of eras) {
        const merged = doorOf(gate, ada, clientEra)
        const prompts = await listAll(merged, 'prompts/list', 'prompts')
        const resources = await listAll(merged, 'resources/list', 'resources')
        const templates = await listAll(merged, 'resources/templates/list', 'resourceTemplates')
        for (const server of ['web', 'child']) {
          const own = doorOf(gate, ada, clientEra, server)
          const ofIt = <T extends string>(texts: readonly T[], mark: string) =>
            texts.filter((text) => text.startsWith(server + mark))
          expect(
            ofIt(
              prompts.map(({ name }) => name),
              '__',
            ),
          ).toEqual((await listAll(own, 'prompts/list', 'prompts')).map(({ name }) => `${server}__${name}`))
          expect(
            ofIt(
              templates.map(({ uriTemplate }) => uriTemplate),
              '+',
            ),
          ).toEqual(
            (await listAll(own, 'resources/templates/list', 'resourceTemplates')).map(
              (one) => `${server}+${one.uriTemplate}`,
            ),
          )
          const uris = (await listAll(own, 'resources/list', 'resources')).map(({ uri }) => uri)
          expect(
            ofIt(
              resources.map(({ uri }) => uri),
              '+',
            ),
          ).toEqual(uris.map((uri) => `${server}+${uri}`))
          for (const uri of ['test://static-text', 'test://static-binary', 'test://template/7/data'])
            expect(await read(merged, `${server}+${uri}`)).toEqual(withServer(server, await read(own, uri)))
          const prompt = {
            name: 'test_prompt_with_embedded_resource',
            arguments: { resourceUri: 'test://static-text' },
          }
          const got = await send(merged, 'prompts/get', { ...prompt, name: `${server}__${prompt.name}` })
          expect(resultOf<object>(got)).toEqual(withServer(server, resultOf(await send(own, 'prompts/get', prompt))))
          const argument = { name: 'arg1', value: 't' }
          const completed = (door: Door, name: string) =>
            send(door, 'completion/complete', { ref: { type: 'ref/prompt', name }, argument })
          const name = 'test_prompt_with_arguments'
          expect(resultOf<object>(await completed(merged, `${server}__${name}`))).toEqual(
            resultOf<object>(await completed(own, name)),
          )
        }
      }
    },
  )
})

test('a resource of a server that its user may not see is as unknown as one that is not there', async () => {
  await using web = await startEverything({ port: 0 })
  await using gate = await startGate({ config: { mcpServers: { web: { url: web.url } } } })
  const door = doorOf(gate, await addPerson(gate, 'ada'))
  for (const uri of ['none+test://static-text', 'test://static-text', 'web+test://none'])
    expect([uri, errorOf(await send(door, 'resources/read', { uri }, readBy(uri))).code]).toEqual([uri, -32602])
})

test('a tool that wants arguments as headers is called with them by clients old and new', async () => {
  await using web = await startEverything({ port: 0 })
  await using gate = await startGate({ config: { mcpServers: { web: { url: web.url } } } })
  const ada = await addPerson(gate, 'ada')
  const asked = { name: 'web__test_x_mcp_header', arguments: { region: 'us west 1' } }
  const call = (door: Door, headers: Record<string, string> = {}) => send(door, 'tools/call', asked, { headers })
  const modern = doorOf(gate, ada)
  expect(resultOf<object>(await call(modern, { 'Mcp-Param-Region': 'us west 1' }))).not.toHaveProperty('isError', true)
  for (const headers of [{}, { 'Mcp-Param-Region': 'eu' }, { 'Mcp-Param-Region': '=?base64?dXMgd2VzdCAx=?=' }]) {
    const refused = await call(modern, headers)
    expect([refused.status, errorOf(refused).code]).toEqual([400, -32020])
  }
  await using newer = await startEverything({ port: 0, era: 'modern' })
  await using other = await startGate({ config: { mcpServers: { web: { url: newer.url } } } })
  const old = doorOf(other, await addPerson(other, 'ada'), 'legacy')
  expect(resultOf<object>(await call(old))).not.toHaveProperty('isError', true)
})
