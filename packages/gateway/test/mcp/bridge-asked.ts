import { Client, StreamableHTTPClientTransport, type FetchLike } from '@modelcontextprotocol/client'

interface Connecting {
  readonly key: string
  readonly fetch?: FetchLike
}

const forms: Readonly<Record<string, Record<string, string | boolean>>> = {
  'Who?': { username: 'ada', email: 'ada@example.org' },
  'What is your name?': { name: 'Ada' },
  'Step 1: What is your name?': { name: 'Ada' },
  'Step 2: What is your favorite color?': { color: 'red' },
}

/** A published client that can be asked all there is, and says the same each time. */
export async function connectAsked(era: 'legacy' | 'modern', url: string, { key, fetch }: Connecting): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1' },
    {
      versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' },
      capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
    },
  )
  client.setRequestHandler('elicitation/create', ({ params }) => {
    const content = forms[params.message]
    return content ? { action: 'accept', content } : { action: 'accept' }
  })
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'Hello' },
  }))
  client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/ada' }] }))
  const headers = { Authorization: `Bearer ${key}` }
  const options = { requestInit: { headers }, ...(fetch && { fetch }) }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options))
  return client
}

/** Tools of the everything server that ask, with what they answer to such a client. */
export const asking: readonly [string, Record<string, unknown>, string][] = [
  [
    'test_elicitation',
    { message: 'Who?' },
    'User response: action=accept, content={"username":"ada","email":"ada@example.org"}',
  ],
  ['test_elicitation_url', { url: 'https://x.example/' }, 'User response: action=accept, content={}'],
  ['test_sampling', { prompt: 'Say hello' }, 'LLM response: Hello'],
  ['test_input_required_result_list_roots', {}, 'Roots: file:///home/ada'],
  ['test_input_required_result_multiple_inputs', {}, 'Hello Ada has 1 roots.'],
  ['test_input_required_result_multi_round', {}, 'Ada likes red.'],
]
