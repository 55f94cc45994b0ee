import { expect, test } from 'vitest'
import { connectMal } from '../../../../scripts/lib/people.ts'
import { enter, malAccount } from '../attacks/ground.ts'
import { eras } from './eras.ts'
import { openOutside } from './journey/outside.ts'
import { call, resultOf, send } from './wire.ts'

test.for(eras)(
  'lists leave through the gate as files, as resources and in prompts (%s)',
  { timeout: 120_000 },
  async (era) => {
    await using outside = await openOutside({
      config: { mcpServers: { mal: { builtin: 'mal', toolsets: ['transfer'] } } },
    })
    const browser = await enter(outside, 'ada')
    await connectMal(browser, `${outside.publicUrl}/connect/mal`, malAccount('mika'))
    const { body } = await outside.gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
    const door = { url: `${outside.publicUrl}/mcp`, key: (body as { key: string }).key, era }

    const { content } = await call(door, 'mal__export_list', { format: 'html' })
    expect(content).toMatchObject([
      { type: 'text', text: expect.stringContaining('12 of 12 entries') },
      { type: 'resource', resource: { mimeType: 'text/html', text: expect.stringContaining('mika’s anime list') } },
    ])

    const uri = 'mal+mal://list/manga'
    const read = resultOf<{ contents: unknown }>(
      await send(door, 'resources/read', { uri }, { headers: { 'Mcp-Name': uri } }),
    )
    expect(read.contents).toMatchObject([{ uri, text: expect.stringMatching(/^# Manga list of mika/) }])

    const name = 'mal__taste_report'
    const prompt = resultOf<{ messages: unknown }>(
      await send(door, 'prompts/get', { name, arguments: { kind: 'manga' } }, { headers: { 'Mcp-Name': name } }),
    )
    expect(prompt.messages).toMatchObject([
      { role: 'user', content: { text: expect.stringContaining('taste in manga') } },
    ])
  },
)
