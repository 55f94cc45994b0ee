import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { createMalEmulator, type MalEmulator } from '@sekisho/playground/mal'
import { describe, expect, test } from 'vitest'
import { startEmulated } from './support/emulated.ts'

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))

interface Form {
  readonly message: string
  readonly requestedSchema?: {
    readonly properties: { readonly choice?: { readonly oneOf?: readonly { const: string; title: string }[] } }
  }
}

type Reply = { action: 'accept'; content: { choice: string } } | { action: 'decline' }

/** A real client of one era in front of the real program; `answer` is the person. */
async function connect(mal: MalEmulator, mode: 'auto' | 'legacy', answer: ((form: Form) => Reply) | undefined) {
  const { url } = await mal.listen()
  const capabilities = answer ? { elicitation: { form: {} } } : {}
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode }, capabilities })
  if (answer) client.setRequestHandler('elicitation/create', ({ params }) => answer(params as Form))
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin],
      env: {
        MAL_ACCESS_TOKEN: mal.issueTokens('mika').accessToken,
        MAL_API_BASE_URL: `${url}/v2`,
        MAL_REQUESTS_PER_SECOND: '1000',
      },
    }),
  )
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

const ask = { name: 'get_anime_detail', arguments: { id: 'tollgate' } }

describe.each(['auto', 'legacy'] as const)('a title that could be several (%s)', (mode) => {
  test('is chosen by the person, who sees what there is', async () => {
    await using mal = createMalEmulator()
    const forms: Form[] = []
    await using client = await connect(mal, mode, (form) => {
      forms.push(form)
      const second = form.requestedSchema?.properties.choice?.oneOf?.[1]?.const ?? ''
      return { action: 'accept', content: { choice: second } }
    })
    const { structuredContent } = await client.callTool(ask)
    expect(forms).toHaveLength(1)
    expect(forms[0]?.message).toContain('"tollgate"')
    const options = forms[0]?.requestedSchema?.properties.choice?.oneOf ?? []
    expect(options.length).toBeGreaterThan(1)
    expect(String((structuredContent as { id?: number }).id)).toBe(options[1]?.const)
    expect(options[1]?.title).toContain(`id ${options[1]?.const}`)
  })

  test('is told with its candidates where the person declines, or the client cannot ask', async () => {
    for (const answer of [() => ({ action: 'decline' }) as const, undefined]) {
      await using mal = createMalEmulator()
      await using client = await connect(mal, mode, answer)
      expect(await client.callTool(ask)).toMatchObject({
        isError: true,
        content: [{ text: expect.stringMatching(/one of these ids: .*\(id \d+/) }],
        _meta: { 'mal/code': 'ambiguous' },
      })
    }
  })

  test('an answer that was no option is asked for again', async () => {
    await using mal = createMalEmulator()
    let asked = 0
    await using client = await connect(mal, mode, (form) => {
      asked += 1
      const first = form.requestedSchema?.properties.choice?.oneOf?.[0]?.const ?? ''
      return { action: 'accept', content: { choice: asked === 1 ? 'something else' : first } }
    })
    const result = await client.callTool(ask)
    expect({ asked, isError: result.isError ?? false }).toEqual({ asked: 2, isError: false })
  })
})

test('over stateless HTTP, a client of an older revision that cannot be asked is told', async () => {
  await using at = await startEmulated()
  const { isError, text } = await at.call('mika', 'get_anime_detail', { id: 'tollgate' }, { legacy: true })
  expect({ isError, text }).toMatchObject({ isError: true, text: expect.stringContaining('one of these ids') })
})
