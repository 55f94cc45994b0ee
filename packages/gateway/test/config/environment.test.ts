import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'

const load = (environment: Record<string, string>, text = '{}') =>
  loadConfig({ file: 'sekisho.jsonc', text, environment, dataDirectory: '/data' })

const shared = { DATABASE_URL: 'postgres://root:hunter2@db/gate', REDIS_URL: 'rediss://:hunter2@cache:6380/2' }

describe('the environment', () => {
  test('stands before the file', () => {
    const environment = {
      SEKISHO_HOST: '0.0.0.0',
      SEKISHO_PORT: '8080',
      SEKISHO_PUBLIC_URL: 'https://gate.example.com/',
      SEKISHO_LOG_LEVEL: 'debug',
      SEKISHO_DATA: '/srv/data',
    }
    const file =
      '{ "listen": { "port": 1 }, "trustProxy": ["loopback"], "log": { "level": "error", "format": "json" } }'
    expect(load(environment, file)).toMatchObject({
      ok: true,
      config: {
        listen: { host: '0.0.0.0', port: 8080 },
        publicUrl: 'https://gate.example.com',
        log: { level: 'debug', format: 'json' },
        dataDirectory: '/srv/data',
      },
      warnings: [],
    })
  })

  test('R1-08: says how often, beside what the file says of other limits', () => {
    const environment = {
      SEKISHO_CALLS_PER_MINUTE: '100',
      SEKISHO_AUTHORIZE_PER_MINUTE: '5',
      SEKISHO_CALLBACK_PER_MINUTE: '6',
    }
    const file = '{ "limits": { "concurrentCalls": 2, "perMinute": { "authorize": 50, "token": 7 } } }'
    const perMinute = { authorize: 5, callback: 6, token: 7, register: 10 }
    for (const text of [file, '{ "limits": { "concurrentCalls": 2, "perMinute": { "token": 7 } } }'])
      expect(load(environment, text)).toMatchObject({
        config: { limits: { callsPerMinute: 100, concurrentCalls: 2, perMinute } },
      })
    expect(load(environment)).toMatchObject({ config: { limits: { perMinute: { authorize: 5, token: 60 } } } })
    expect(load({ SEKISHO_AUTHORIZE_PER_MINUTE: '0', SEKISHO_CALLS_PER_MINUTE: 'many' })).toMatchObject({
      ok: false,
      problems: [{ path: 'SEKISHO_CALLS_PER_MINUTE' }, { path: 'SEKISHO_AUTHORIZE_PER_MINUTE' }],
    })
  })

  test('counts as not set where it is empty', () => {
    expect(load({ SEKISHO_PORT: '', DATABASE_URL: '', SEKISHO_DATA: '' })).toMatchObject({
      config: { listen: { port: 7354 }, databaseUrl: undefined, dataDirectory: '/data' },
    })
  })

  test('is checked as the file is, and each problem names its variable', () => {
    const loaded = load(
      {
        SEKISHO_PORT: 'http',
        SEKISHO_LOG_FORMAT: 'jsno',
        SEKISHO_PUBLIC_URL: 'gate',
        DATABASE_URL: 'mysql://root:hunter2@x',
        REDIS_URL: 'http://root:hunter2@x',
      },
      '{ "log": { "level": 5 } }',
    )
    const problems = loaded.ok ? [] : loaded.problems
    expect(problems.map(({ source, path }) => `${source} ${path}`).sort()).toEqual([
      'environment DATABASE_URL',
      'environment REDIS_URL',
      'environment SEKISHO_LOG_FORMAT',
      'environment SEKISHO_PORT',
      'environment SEKISHO_PUBLIC_URL',
      'sekisho.jsonc log.level',
    ])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  test('is told apart from a file that cannot be read at all', () => {
    const loaded = load({ SEKISHO_PORT: 'http' }, '{')
    expect(loaded.ok ? [] : loaded.problems.map(({ source }) => source)).toEqual(['environment', 'sekisho.jsonc'])
  })

  test('that opens the gate to the network needs a public address, and says which variable did', () => {
    expect(load({ SEKISHO_HOST: '::' })).toMatchObject({
      ok: false,
      problems: [{ path: 'SEKISHO_HOST', source: 'environment' }],
    })
    expect(load({ SEKISHO_HOST: '127.0.0.2' })).toMatchObject({ ok: true })
    expect(load({ SEKISHO_HOST: '::1' })).toMatchObject({ ok: true })
  })

  test('has to say where several workers share what they must, whoever asked for them', () => {
    const alone = [{ path: 'SEKISHO_WORKERS', source: 'environment' }]
    expect(load({ SEKISHO_WORKERS: '2' })).toMatchObject({ ok: false, problems: alone })
    expect(load({ SEKISHO_WORKERS: '2', DATABASE_URL: shared.DATABASE_URL })).toMatchObject({ problems: alone })
    expect(load({}, '{ "workers": 2 }')).toMatchObject({ problems: [{ path: 'workers', source: 'sekisho.jsonc' }] })
    expect(load({ ...shared, SEKISHO_WORKERS: '2' })).toMatchObject({ config: { workers: 2 } })
    expect(load({ SEKISHO_WORKERS: '1' }, '{ "workers": 2 }')).toMatchObject({ config: { workers: 1 } })
  })

  test('is warned of where keys would cross a network in the clear', () => {
    const warned = load({ SEKISHO_PUBLIC_URL: 'http://gate.internal' })
    expect(warned.warnings.map(({ path }) => path)).toEqual(['SEKISHO_PUBLIC_URL'])
    expect(load({ SEKISHO_PUBLIC_URL: 'http://[::1]:7354' }).warnings).toEqual([])
  })

  test('is warned of where https is a proxy’s that is not trusted, so that everybody would count as one address', () => {
    const environment = { SEKISHO_PUBLIC_URL: 'https://gate.example.com' }
    const trouble = { reason: expect.stringContaining('one address'), fix: expect.stringContaining('trustProxy') }
    expect(load(environment)).toMatchObject({ ok: true, warnings: [{ path: 'SEKISHO_PUBLIC_URL', ...trouble }] })
    expect(load({}, '{ "publicUrl": "https://localhost" }')).toMatchObject({ warnings: [{ path: 'publicUrl' }] })
    expect(load(environment, '{ "trustProxy": ["10.0.0.0/8"] }').warnings).toEqual([])
  })

  test('is warned of where a variable is misspelled', () => {
    expect(load({ SEKISHO_PROT: '1', SEKISHO_TEST_POSTGRES: 'x', HOME: '/root' }).warnings).toMatchObject([
      { path: 'SEKISHO_PROT', fix: 'Did you mean SEKISHO_PORT?' },
    ])
  })

  test('is refused where a variable is none of what it may be', () => {
    expect(load({ SEKISHO_ROOT_KEY_STORE: 'cloud' })).toMatchObject({
      ok: false,
      problems: [
        { source: 'environment', path: 'SEKISHO_ROOT_KEY_STORE', fix: expect.stringContaining('auto, keyring, file') },
      ],
    })
    for (const store of ['', 'auto', 'keyring', 'file'])
      expect(load({ SEKISHO_ROOT_KEY_STORE: store })).toMatchObject({ ok: true, warnings: [] })
  })

  test('keeps its secrets to itself', () => {
    const loaded = load({ ...shared, SEKISHO_ROOT_KEY: 'c2VjcmV0' })
    expect(loaded.ok && loaded.config.databaseUrl?.reveal()).toBe(shared.DATABASE_URL)
    expect(loaded.ok && loaded.config.redisUrl?.reveal()).toBe(shared.REDIS_URL)
    expect(JSON.stringify(loaded)).not.toMatch(/hunter2|c2VjcmV0/)
  })
})
