import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/base/problem.ts'
import { render } from '../../src/base/template.ts'
import { findConfigFile, loadConfig, requireConfig, type ConfigSource } from '../../src/config/load.ts'

const source = (text: string, environment: ConfigSource['environment'] = {}) => ({
  file: '/etc/sekisho/sekisho.jsonc',
  text,
  environment,
  dataDirectory: '/data',
})

const problemsOf = (text: string, environment?: ConfigSource['environment']) => {
  const loaded = loadConfig(source(text, environment))
  return loaded.ok ? [] : loaded.problems
}

describe('the file', () => {
  test('is read from its path, and its place in the file system is where cwd begins', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sekisho-config-'))
    const file = join(directory, 'sekisho.jsonc')
    writeFileSync(file, '\uFEFF{ "mcpServers": { "one": { "command": "x", "cwd": "sub" } } } // with a byte order mark')
    const { config } = requireConfig({ file, environment: {}, dataDirectory: directory })
    expect(config.servers).toMatchObject([{ id: 'one', cwd: join(directory, 'sub') }])
  })

  test('that is not there, or is not UTF-8, is a problem with a fix', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sekisho-config-'))
    const file = join(directory, 'sekisho.jsonc')
    const load = () => loadConfig({ file, environment: {}, dataDirectory: directory })
    expect(load()).toMatchObject({ ok: false, problems: [{ reason: 'the file cannot be read (ENOENT)', line: 1 }] })
    writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]))
    expect(load()).toMatchObject({ ok: false, problems: [{ reason: 'the file is not UTF-8' }] })
    for (const blank of ['', '\n', '// nothing yet\n']) {
      writeFileSync(file, blank)
      expect(load()).toMatchObject({ ok: false, problems: [{ reason: 'the file is empty' }] })
    }
    rmSync(file)
    mkdirSync(file)
    const fix = expect.stringContaining(`Put a file where the directory ${file} is`)
    expect(load()).toMatchObject({ ok: false, problems: [{ reason: 'the file cannot be read (EISDIR)', fix }] })
  })

  test('is named by SEKISHO_CONFIG, else looked for in the directory', () => {
    expect(findConfigFile({ environment: {}, directory: '/srv' })).toBe('/srv/sekisho.jsonc')
    expect(findConfigFile({ environment: { SEKISHO_CONFIG: 'other.jsonc' }, directory: '/srv' })).toBe(
      '/srv/other.jsonc',
    )
  })

  test('nested far too deep is refused without running out of stack', () => {
    const problems = problemsOf('['.repeat(200_000))
    expect(problems).toMatchObject([{ line: 1, column: 65, reason: 'is nested more than 64 deep' }])
  })

  test('never crashes the loader, and every problem has a place and words, whatever it holds', () => {
    const keys = fc.constantFrom(
      'mcpServers',
      'a',
      'command',
      'url',
      'env',
      'args',
      '$env',
      '$userToken',
      '$user',
      'shared',
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 6 }, fc.jsonValue(), fc.dictionary(fc.oneof(keys, fc.string()), tie('tree'))),
    }))
    const check = (text: string) => {
      for (const { line, column, reason, fix } of problemsOf(text)) {
        expect(Math.min(line, column)).toBeGreaterThanOrEqual(1)
        expect(reason && fix).not.toBe('')
      }
    }
    fc.assert(fc.property(tree, (value) => check(JSON.stringify({ mcpServers: value }))))
    fc.assert(fc.property(tree, (value) => check(JSON.stringify({ mcpServers: { a: value } }, null, 2))))
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), check))
  })
})

describe('what comes out', () => {
  const text = `{ "mcpServers": {
    "one": { "command": "x", "env": { "A": { "$env": "A" }, "T": { "$userToken": "Bearer {{token}}" } } },
    "off": { "command": "x", "disabled": true, "env": { "A": { "$env": "NOT_SET" } } }
  } }`

  test('is frozen through and through', () => {
    const { config } = requireConfig(source(text, { A: 'b' }))
    const server = config.servers[0]
    expect(
      [config, config.listen, config.servers, server, server?.kind === 'stdio' && server.env].every(Object.isFrozen),
    ).toBe(true)
  })

  test('holds a variable as it was, never expanded again, and shows its name in place of its value', () => {
    const value = '{"$env":"B"} $B ${B} {{token}}'
    const { config } = requireConfig(source(text, { A: value, B: 'wrong' }))
    const server = config.servers[0]
    if (server?.kind !== 'stdio' || !server.env['A']) throw new Error('no stdio server')
    expect(render(server.env['A'], { userId: 'usr_1', token: 'wrong' })).toBe(value)
    expect(JSON.stringify(config)).toContain('{"$env":"A"}')
    expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain('$B')
  })

  test('leaves a disabled server out, and its variables unread', () => {
    const { config } = requireConfig(source(text, { A: 'b' }))
    expect(config.servers.map(({ id }) => id)).toEqual(['one'])
    expect(config.disabledServers).toEqual(['off'])
  })

  test('asks for a token where a value holds one', () => {
    const { config } = requireConfig(source(text, { A: 'b' }))
    expect(config.servers[0]?.requiresUserToken).toBe(true)
  })

  test('knows a token by its format, called twice or more', () => {
    const setup = '{ "name": "N", "instructions": "I", "format": "^ntn_" }'
    const { config } = requireConfig(source(`{ "mcpServers": { "a": { "builtin": "a", "tokenSetup": ${setup} } } }`))
    const format = config.servers[0]?.tokenSetup?.format
    expect([format?.test('ntn_1'), format?.test('ntn_1'), format?.test('xntn_1')]).toEqual([true, true, false])
  })

  test('is thrown as config.invalid, with every problem in its words, for those who cannot go on without', () => {
    const load = () => requireConfig(source('{ "listen": { "port": -1, "host": "0.0.0.0" }, "mcpServer": {} }'))
    expect(load).toThrow(Problem)
    expect(load).toThrow(/sekisho\.jsonc:1:23 listen\.port: .*\nsekisho\.jsonc:1:48 mcpServer: .*mcpServers\?/)
  })
})
