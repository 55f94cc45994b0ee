import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newDirectory } from '../stores/databases.ts'
import { sekisho } from './gate.ts'

function writeConfig(text: string): string {
  const { dataDir } = newDirectory()
  writeFileSync(join(dataDir, 'sekisho.jsonc'), text)
  return dataDir
}

const RIGHT = `{
  // comments are fine
  "mcpServers": {
    "issues": {
      "url": "https://issues.test/mcp",
      "headers": { "Authorization": { "$userToken": "Bearer {{token}}" }, "X-Team": { "$env": "TEAM" } },
      "tokenSetup": { "name": "Issues", "instructions": "Ask for one." }
    },
    "files": { "command": "node", "args": ["files.mjs"] },
    "old": { "command": "node", "disabled": true }
  }
}`

test('a right configuration is summed up: the servers, whose token they need, where the gate will be', async () => {
  const directory = writeConfig(RIGHT)
  const { code, output } = await sekisho(['check'], { directory, environment: { TEAM: 'a-secret-value' } })
  expect(code).toBe(0)
  expect(output).toMatch(/^sekisho\.jsonc is right\. The gate will be at http:\/\/localhost:7354\/mcp\.$/m)
  expect(output).toMatch(/^issues +http +Issues +-$/m)
  expect(output).toMatch(/^files +stdio +- +-$/m)
  expect(output).toMatch(/^Disabled: old\.$/m)
})

test('no value of the environment is shown, not for a program either', async () => {
  const directory = writeConfig(RIGHT)
  const environment = { TEAM: 'a-secret-value' }
  const runs = [
    await sekisho(['check'], { directory, environment }),
    await sekisho(['check', '--json'], { directory, environment }),
  ]
  expect(runs.map(({ output, errors }) => output + errors).join()).not.toContain('a-secret-value')
  expect(JSON.parse(runs[1]?.output ?? '')).toMatchObject({
    ok: true,
    config: { servers: [{ id: 'issues', kind: 'http', needsToken: true, service: 'Issues' }, { id: 'files' }] },
  })
})

test('every problem is told at once, with its place, the reason and the fix, and ends with 1', async () => {
  const directory = writeConfig(
    '{\n  "mcpServers": {\n    "a b": { "command": "node" },\n    "c": {}\n  },\n  "listn": {}\n}',
  )
  const { code, output } = await sekisho(['check'], { directory })
  expect(code).toBe(1)
  const lines = output.trimEnd().split('\n')
  expect(lines.map((line) => line.split(':', 2).join(':'))).toEqual([
    'sekisho.jsonc:3',
    'sekisho.jsonc:4',
    'sekisho.jsonc:6',
  ])
  expect(lines.every((line) => /^sekisho\.jsonc:\d+:\d+ .+ — .+$/.test(line))).toBe(true)
})

test('a program is told the problems as data', async () => {
  const directory = writeConfig('{ "listn": {} }')
  const { code, output } = await sekisho(['check', '--json'], { directory })
  expect(code).toBe(1)
  expect(JSON.parse(output)).toMatchObject({ ok: false, problems: [{ line: 1, column: 3, path: 'listn' }] })
})

test('a file is named from where the command was typed, also through npm', async () => {
  const directory = writeConfig(RIGHT)
  const { dataDir: elsewhere } = newDirectory()
  const environment = { TEAM: 'x', INIT_CWD: directory }
  const { code, output } = await sekisho(['check', './sekisho.jsonc'], { directory: elsewhere, environment })
  expect([code, output]).toEqual([0, expect.stringContaining('sekisho.jsonc is right')])
})

test('a file that is not there is a problem with its name', async () => {
  const { dataDir: directory } = newDirectory()
  const { code, output } = await sekisho(['check', 'missing.jsonc'], { directory })
  expect([code, output]).toEqual([1, expect.stringContaining('missing.jsonc')])
})

test('what lies around in plain text is told of, with what to do, and is no problem of the configuration', async () => {
  const directory = writeConfig('{ "mcpServers": { "notes": { "command": "node", "env": { "API_KEY": "HIDDEN" } } } }')
  const { dataDir } = newDirectory()
  writeFileSync(join(dataDir, 'root.key'), Buffer.alloc(32).toString('base64'), { mode: 0o600 })
  writeFileSync(join(directory, 'tokens.json'), '{ "access_token": "HIDDEN" }')
  const environment = { SEKISHO_DATA: dataDir }
  const { code, output } = await sekisho(['check'], { directory, environment })
  expect(code).toBe(0)
  const warnings = output.split('\n').filter((line) => line.startsWith('warning: '))
  expect(warnings).toEqual([
    expect.stringMatching(
      /^warning: sekisho\.jsonc:1:\d+ mcpServers\.notes\.env\.API_KEY: is a secret .* — Put it into a variable/,
    ),
    expect.stringMatching(
      /^warning: .*root\.key is the root key .* in plain text.* — Stop the gate, then sekisho root-key move/,
    ),
    expect.stringMatching(
      /^warning: .*tokens\.json holds tokens .* — Move them into the vault: sekisho connection import/,
    ),
  ])
  const { output: json } = await sekisho(['check', '--json'], { directory, environment })
  expect(JSON.parse(json)).toMatchObject({ ok: true, plainText: [{ about: 'root key' }, { about: 'tokens' }] })
  expect(output + json).not.toContain('HIDDEN')
})

test('https with no proxy that is trusted is told of, with what to do', async () => {
  const directory = writeConfig('{ "publicUrl": "https://gate.example.com" }')
  const { code, output } = await sekisho(['check'], { directory })
  expect(code).toBe(0)
  expect(output).toMatch(
    /^warning: sekisho\.jsonc:1:\d+ publicUrl: the proxy .* is not trusted, .* — Name it in trustProxy/m,
  )
})
