import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createNetwork } from '#kit/network'
import { createEnvironmentCredentials, parseEnvironment } from '../src/auth/environment.ts'
import { createRefreshManager } from '../src/auth/refresh.ts'
import { secret } from '#kit/secret'
import { fakeClock, startBench } from './support/call.ts'
import { entry, startStandIn, type Scripted, type StandIn } from './support/stand-in.ts'

const calm = new AbortController().signal

/** A token answer; the lifetime is 31 days unless the test says otherwise. */
const issue = (access: string, body: object = {}): Scripted => ({
  status: 200,
  body: { token_type: 'Bearer', expires_in: 2_678_400, access_token: access, ...body },
})

function manage(standIn: StandIn, clock = fakeClock()) {
  const network = createNetwork()
  const manager = createRefreshManager({
    tokenUrl: standIn.tokenUrl,
    clientId: 'app',
    clientSecret: undefined,
    refreshToken: secret('first'),
    clock,
    fetch: network.fetch,
  })
  const token = async () => (await manager.token())?.reveal()
  const sent = () => standIn.seen.map(({ form }) => Object.fromEntries(form))
  return { manager, token, clock, sent, [Symbol.asyncDispose]: network.close }
}

describe('the refresh manager', () => {
  test('R2-05: asks with the refresh_token grant, without the secret an app does not have', async () => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    standIn.script.push(issue('one'))
    expect(await managed.token()).toBe('one')
    expect(managed.sent()).toEqual([{ grant_type: 'refresh_token', refresh_token: 'first', client_id: 'app' }])
  })

  test('R2-05: any number of calls at once renew once', async () => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    standIn.script.push(issue('one'))
    expect(await Promise.all(Array.from({ length: 20 }, managed.token))).toEqual(
      Array.from({ length: 20 }, () => 'one'),
    )
    expect(standIn.seen).toHaveLength(1)
  })

  test('R0-33: renews shortly before the token ends, with the newest refresh token', async () => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    standIn.script.push(issue('one', { refresh_token: 'second', expires_in: '3600' }), issue('two'))
    await managed.token()
    await managed.clock.wait(3600_000 - 301_000, calm)
    expect(await managed.token()).toBe('one')
    await managed.clock.wait(2000, calm)
    expect(await managed.token()).toBe('two')
    expect(managed.sent()[1]).toMatchObject({ refresh_token: 'second' })
  })

  test.each([
    ['HTML', { status: 200, body: '<html>maintenance</html>' }],
    ['no token in it', { status: 200, body: { refresh_token: 'bad' } }],
    ['a refusal', { status: 401, body: { error: 'invalid_request', message: 'The refresh token is invalid.' } }],
  ] satisfies [string, Scripted][])('R2-05: an answer with %s overwrites nothing', async (_, bad) => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    standIn.script.push(issue('one', { expires_in: 3600 }), bad, issue('two'))
    await managed.token()
    await managed.clock.wait(3600_000 - 200_000, calm)
    expect(await managed.token()).toBe('one')
    // Not asked again at once, then again with the same refresh token.
    expect(await managed.token()).toBe('one')
    expect(standIn.seen).toHaveLength(2)
    await managed.clock.wait(30_000, calm)
    expect(await managed.token()).toBe('two')
    expect(managed.sent()[2]).toMatchObject({ refresh_token: 'first' })
  })

  test('a rejected token is renewed once, whoever noticed it first', async () => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    standIn.script.push(issue('one'), issue('two'))
    const rejected = await managed.manager.token()
    if (rejected === undefined) throw new Error('no token')
    const renewed = await Promise.all([managed.manager.renew?.(rejected), managed.manager.renew?.(rejected)])
    expect(renewed.map((token) => token?.reveal())).toEqual(['two', 'two'])
    expect((await managed.manager.renew?.(rejected))?.reveal()).toBe('two')
    expect(standIn.seen).toHaveLength(2)
  })

  test('a call whose token was revoked early is made again with a new one', async () => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    await using bench = await startBench({ credentials: managed.manager })
    standIn.script.push(issue('revoked'), issue('fresh'))
    bench.mal.lists.set('fresh', [entry(1)])
    const { status, structured } = await bench.call('get_my_anime_list', {}, { token: '' })
    expect({ status, structured }).toMatchObject({ status: 200, structured: { count: 1 } })
    // A caller's own token is never exchanged for the shared account.
    expect((await bench.call('get_my_anime_list', {}, { token: 'stranger' })).status).toBe(401)
  })

  test('secrets are not printed', async () => {
    await using standIn = await startStandIn()
    await using managed = manage(standIn)
    standIn.script.push({ status: 500 })
    const error = await managed.manager.token().catch((reason: unknown) => reason)
    expect(
      `${inspect(error, { depth: 9 })}${String(secret('first'))}${JSON.stringify([secret('first')])}`,
    ).not.toContain('first')
  })
})

describe('the environment', () => {
  test('R2-06: what renews itself goes before the static token', async () => {
    await using standIn = await startStandIn()
    await using network = { ...createNetwork(), [Symbol.asyncDispose]: async () => {} }
    const both = {
      MAL_ACCESS_TOKEN: 'static',
      MAL_REFRESH_TOKEN: 'r',
      MAL_CLIENT_ID: 'c',
      MAL_TOKEN_URL: standIn.tokenUrl,
    }
    standIn.script.push(issue('renewed'))
    const tokenOf = async (variables: Record<string, string>) => {
      const parsed = parseEnvironment(variables)
      if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
      return (await createEnvironmentCredentials(parsed.environment, network.fetch)?.token())?.reveal()
    }
    expect(await tokenOf(both)).toBe('renewed')
    expect(await tokenOf({ MAL_ACCESS_TOKEN: 'static', MAL_REFRESH_TOKEN: '' })).toBe('static')
    expect(await tokenOf({})).toBeUndefined()
    await network.close()
  })

  test('R2-31: every mistake is named at once', () => {
    expect(parseEnvironment({ PORT: 'many', MAL_TOKEN_URL: 'http://mal.example/token' })).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('PORT'), expect.stringContaining('MAL_TOKEN_URL must be https')],
    })
    expect(parseEnvironment({ MAL_REFRESH_TOKEN: 'r' })).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('MAL_CLIENT_ID')],
    })
    expect(parseEnvironment({})).toMatchObject({ ok: true, environment: { PORT: 8000, HOST: '127.0.0.1' } })
  })
})
