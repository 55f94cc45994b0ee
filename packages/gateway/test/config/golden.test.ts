import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { showProblems } from '../../src/config/report.ts'
import { shippedDefinitions } from '../../src/providers/definitions.ts'

const folder = join(import.meta.dirname, 'golden')
const secrets = { GITHUB_TOKEN: 'ghp_0123456789', BROKEN_HEADER: 'xyzzy\r\nplugh', NOT_A_URL: 'opensesame' }
const environment = { ...secrets, EMPTY: '' }

const filesIn = (kind: string) => readdirSync(join(folder, kind)).filter((name) => name.endsWith('.jsonc'))

function load(kind: string, name: string) {
  const text = readFileSync(join(folder, kind, name), 'utf8')
  return loadConfig({
    file: `/etc/sekisho/${name}`,
    text,
    environment,
    dataDirectory: '/data',
    builtins: ['everything', 'github', 'mal'],
    definitions: shippedDefinitions,
  })
}

describe('a file with problems is refused with all of them, each with its place, reason and fix', () => {
  test.for(filesIn('bad'))('%s', async (name) => {
    const loaded = load('bad', name)
    const problems = loaded.ok ? [] : loaded.problems
    expect(problems).not.toEqual([])
    await expect(`${showProblems(problems)}\n`).toMatchFileSnapshot(join(folder, 'bad', name.replace('.jsonc', '.txt')))
  })
})

describe('a file in the shape people already have is taken as it is', () => {
  test.for(filesIn('good'))('%s', async (name) => {
    const loaded = load('good', name)
    if (!loaded.ok) throw new Error(showProblems(loaded.problems))
    const { config, warnings } = loaded
    const shown = `${JSON.stringify({ config, warnings: showProblems(warnings).split('\n') }, null, 2)}\n`
    await expect(shown).toMatchFileSnapshot(join(folder, 'good', name.replace('.jsonc', '.json')))
  })
})

test('no problem and no printed configuration holds what a variable gave', () => {
  const shown = ['bad', 'good'].flatMap((kind) => filesIn(kind).map((name) => JSON.stringify(load(kind, name))))
  const values = Object.values(secrets).flatMap((value) => value.split(/\s+/))
  expect(shown.join('\n')).toContain('GITHUB_TOKEN')
  expect(values.filter((value) => shown.join('\n').includes(value))).toEqual([])
})
