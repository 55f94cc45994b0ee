import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { startEverything } from '@sekisho/playground/everything/http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { acceptInvitation, allowClient } from '../../../../scripts/lib/people.ts'
import { addPerson } from './place.ts'

const PROGRAM = join(createRequire(import.meta.url).resolve('mcp-remote/package.json'), '../dist/proxy.js')
const PROTOCOLS = ['legacy', 'auto'] as const
const TIMEOUT_MS = 60_000

/**
 * What hosts that know programs only reach the gate with: for them it speaks the older revisions, and toward the gate
 * either these as well or, with `--protocol auto`, 2026-07-28.
 */
describe.each(PROTOCOLS)('mcp-remote, unchanged, with --protocol %s', (protocol) => {
  let place: Awaited<ReturnType<typeof openPlace>>
  beforeAll(async () => {
    place = await openPlace()
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('carries all of one server to a host with a key', { timeout: TIMEOUT_MS }, async () => {
    const { key } = await addPerson(place.gate, `one-${protocol}`)
    await using host = await openHost(`${place.publicUrl}/mcp/everything`, { key, protocol })
    const { client } = host

    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('test_simple_text')
    expect(said(await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who?' } }))).toContain('Ada')
    const headers: unknown = JSON.parse(said(await client.callTool({ name: 'echo_headers' })))
    expect(headers).toMatchObject({ 'mcp-protocol-version': protocol === 'auto' ? '2026-07-28' : '2025-11-25' })
    const heard: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void heard.push(progress)
    await client.callTool({ name: 'test_tool_with_progress' }, { onprogress })
    // The last one comes with the answer, and a client need not look at it any more.
    expect(heard.slice(0, 2)).toEqual([0, 50])
    expect((await client.getPrompt({ name: 'test_simple_prompt' })).messages).toHaveLength(1)
    expect((await client.readResource({ uri: 'test://template/7/data' })).contents).toMatchObject([
      { text: expect.stringContaining('Data for ID: 7') },
    ])

    const updated = vi.fn<(uri: string) => void>()
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => updated(params.uri))
    await client.subscribeResource({ uri: 'test://watched-resource' })
    await vi.waitFor(
      async () => {
        await client.callTool({ name: 'touch_resource' })
        expect(updated).toHaveBeenCalledWith('test://watched-resource')
      },
      { timeout: TIMEOUT_MS / 2, interval: 500 },
    )
  })

  test('carries all servers in one', { timeout: TIMEOUT_MS }, async () => {
    const { key } = await addPerson(place.gate, `all-${protocol}`)
    await using host = await openHost(`${place.publicUrl}/mcp`, { key, protocol })
    const { client } = host
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['sekisho_status', 'everything__test_simple_text']))
    expect(said(await client.callTool({ name: 'everything__test_simple_text' }))).toContain('simple text')
    const { resources } = await client.listResources()
    const uri = resources.map((resource) => resource.uri).find((one) => one.endsWith('static-text')) ?? ''
    expect(uri).toBe('everything+test://static-text')
    expect((await client.readResource({ uri })).contents).toMatchObject([{ uri, mimeType: 'text/plain' }])
    expect(
      said(await client.callTool({ name: 'everything__test_elicitation', arguments: { message: 'Who?' } })),
    ).toMatch(/action=accept/)
  })

  test('signs its user in, where it has no key', { timeout: TIMEOUT_MS }, async () => {
    const browser = await acceptInvitation(await place.gate.inviteUser(`user-${protocol}`))
    await using host = await openHost(`${place.publicUrl}/mcp/everything`, {
      protocol,
      async visit(address) {
        const back = await allowClient(browser, address, `user-${protocol}`)
        expect(back.pathname).toBe('/oauth/callback')
      },
    })
    expect(said(await host.client.callTool({ name: 'test_simple_text' }))).toContain('simple text')
  })
})

/** A gate in front of a server that speaks all revisions. */
async function openPlace(): Promise<{ readonly gate: Gate; readonly publicUrl: string } & AsyncDisposable> {
  await using open = new AsyncDisposableStack()
  const everything = open.use(await startEverything({ port: 0 }))
  const port = await freePort()
  const gate = open.use(await startGate({ port, config: { mcpServers: { everything: { url: everything.url } } } }))
  const opened = open.move()
  return { gate, publicUrl: `http://localhost:${port}`, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

interface HostOptions {
  readonly protocol: (typeof PROTOCOLS)[number]
  readonly key?: string
  /** Opens the address that the program names for its user. */
  readonly visit?: (address: URL) => Promise<void>
}

/** Starts the program as a host does, with a home of its own and no browser to open. */
async function openHost(url: string, { protocol, key, visit }: HostOptions) {
  const home = mkdtempSync(join(tmpdir(), 'sekisho-mcp-remote-'))
  // The key is in no argument, where everybody on the machine could read it.
  const header = key === undefined ? [] : ['--header', 'Authorization:${KEY}']
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, url, '--protocol', protocol, '--transport', 'http-only', ...header],
    env: { PATH: process.env['PATH'] ?? '', HOME: home, BROWSER: 'true', ...(key && { KEY: `Bearer ${key}` }) },
    stderr: 'pipe',
  })
  let log = ''
  let visiting: Promise<void> | undefined
  transport.stderr?.on('data', (chunk: Buffer) => {
    log += String(chunk)
    const address = /visiting:\s+(http\S+)\s/.exec(log)?.[1]
    if (address !== undefined) visiting ??= visit?.(new URL(address))
  })

  const client = new Client({ name: 'host', version: '1.0.0' }, { capabilities: { elicitation: {} } })
  client.setRequestHandler('elicitation/create', () => ({
    action: 'accept',
    content: { username: 'Ada', email: 'ada@example.com' },
  }))
  try {
    await client.connect(transport)
    await visiting
  } catch (cause) {
    await transport.close()
    throw new Error(`mcp-remote did not connect: ${log}`, { cause })
  }
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function said({ content }: { content: readonly { type: string; text?: unknown }[] }): string {
  return content.map((block) => String(block.text)).join('')
}
