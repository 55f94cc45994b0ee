import { expect, test } from 'vitest'
import type { UserId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { createCredentials, type Credentials, type CredentialsNeeds } from '../../src/providers/credential.ts'
import type { ServiceToken } from '../../src/providers/service.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createTestClock, eachDatabase, quiet, ten, type FreshDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'

/** Where a missing token is set. */
const linkFor = (_holder: unknown, server: string) => `http://localhost/connect/${server}`

const github: ServiceToken = {
  service: 'github',
  name: 'GitHub',
  instructions: 'Make one at https://github.com/settings/tokens',
  format: /^ghp_\w+$/,
}
const ada = { tenant: ten, userId: 'usr_ada' as UserId }
const grace = { tenant: ten, userId: 'usr_grace' as UserId }

interface Scene {
  readonly credentials: Credentials
  readonly clock: ReturnType<typeof createTestClock>
  /** How often the vault was asked, when it found the first answer, and what it waits for before it tells one. */
  readonly answer: { readonly count: number; readonly found: { promise: Promise<void> }; after: Promise<void> }
  /** As another process would, behind the back of these credentials. */
  forget(): Promise<boolean>
}

async function createScene({ storage, place }: FreshDatabase): Promise<Scene> {
  for (const { userId: id } of [ada, grace]) {
    await storage.for(ten).insertInto('users', { id, name: id, role: 'member', created_at: 0 }).execute()
  }
  const clock = createTestClock()
  const keyring = await openKeyring({ storage, dataDir: place.dataDir, environment: {}, clock, log: quiet })
  const vault = createVault({ storage, keyring, clock, log: quiet })
  const answer = { count: 0, found: Promise.withResolvers<void>(), after: Promise.resolve() }
  const observed: CredentialsNeeds['vault'] = {
    ...vault,
    async open(owner) {
      answer.count++
      const found = await vault.open(owner)
      answer.found.resolve()
      await answer.after
      return found
    },
  }
  return {
    credentials: createCredentials({ linkFor, vault: observed, clock }),
    clock,
    answer,
    forget: () => vault.forget({ ...ada, provider: github.service }),
  }
}

const tokenOf = async ({ credentials }: Scene, user = ada) => (await credentials.tokenFor(user, github))?.reveal()

eachDatabase((_name, openFresh) => {
  test("each user gets their own token, and nobody another's", async () => {
    await using database = await openFresh()
    const scene = await createScene(database)
    await scene.credentials.set(ada, github, secret('ghp_ada'))
    expect(await tokenOf(scene)).toBe('ghp_ada')
    expect(await tokenOf(scene, grace)).toBeUndefined()
    await scene.credentials.set(grace, github, secret('ghp_grace'))
    expect([await tokenOf(scene), await tokenOf(scene, grace)]).toEqual(['ghp_ada', 'ghp_grace'])
  })

  test('the vault is opened once for calls that come together, and then not for a minute', async () => {
    await using database = await openFresh()
    const scene = await createScene(database)
    await scene.credentials.set(ada, github, secret('ghp_ada'))
    await Promise.all([tokenOf(scene), tokenOf(scene), tokenOf(scene)])
    expect(scene.answer.count).toBe(1)
    scene.clock.turn(59_999)
    expect(scene.credentials.tokenFor(ada, github)).not.toBeInstanceOf(Promise)
    expect(scene.answer.count).toBe(1)
    await scene.forget()
    scene.clock.turn(1)
    expect(await tokenOf(scene)).toBeUndefined()
  })

  test('a token that is set or removed counts from that moment on', async () => {
    await using database = await openFresh()
    const scene = await createScene(database)
    expect(await tokenOf(scene)).toBeUndefined()
    await scene.credentials.set(ada, github, secret('ghp_1'))
    expect(await tokenOf(scene)).toBe('ghp_1')
    await scene.credentials.set(ada, github, secret('ghp_2'))
    expect(await tokenOf(scene)).toBe('ghp_2')
    expect(await scene.credentials.remove(ada, github.service)).toBe(true)
    expect(await tokenOf(scene)).toBeUndefined()
    expect(await scene.credentials.remove(ada, github.service)).toBe(false)
  })

  test('a token that was opened before it was replaced, and answered after, is not remembered', async () => {
    await using database = await openFresh()
    const { credentials, answer } = await createScene(database)
    await credentials.set(ada, github, secret('ghp_1'))
    const told = Promise.withResolvers<void>()
    answer.after = told.promise
    const asked = credentials.tokenFor(ada, github)
    await answer.found.promise
    await credentials.set(ada, github, secret('ghp_2'))
    told.resolve()
    expect((await asked)?.reveal()).toBe('ghp_1')
    expect((await credentials.tokenFor(ada, github))?.reveal()).toBe('ghp_2')
  })

  test('a user who is removed is forgotten here too', async () => {
    await using database = await openFresh()
    const scene = await createScene(database)
    await scene.credentials.set(ada, github, secret('ghp_ada'))
    await tokenOf(scene)
    await database.storage.for(ten).deleteFrom('users').where('id', '=', ada.userId).execute()
    scene.credentials.dropUser(ada)
    expect(await tokenOf(scene)).toBeUndefined()
  })

  test('a token that is missing is asked for by name, with the way to get one', async () => {
    await using database = await openFresh()
    const { credentials } = await createScene(database)
    const missing = {
      code: 'token.required',
      fix: expect.stringContaining(github.instructions),
      message: expect.stringContaining('GitHub'),
    }
    await expect(credentials.requireToken(ada, github, 'gh')).rejects.toMatchObject(missing)
    expect(() => credentials.requireToken(ada, github, 'gh')).toThrow(expect.objectContaining(missing))
  })

  test('what could not be a token, or would break out of a header, is refused and not repeated', async () => {
    await using database = await openFresh()
    const { credentials } = await createScene(database)
    const bad = [
      '',
      'hunter2',
      'xghp_a',
      'ghp_a b',
      'ghp_a\r\nX-Evil: 1',
      'ghp_a\n',
      'ghp_\u0000',
      ' ghp_a',
      'ghp_é',
      `ghp_${'a'.repeat(4_093)}`,
    ]
    for (const token of bad) {
      const code = await codeOf(credentials.set(ada, github, secret(token)))
      expect({ token, code }).toEqual({ token, code: 'token.format' })
    }
    const guess = credentials.set(ada, github, secret('hunter2'))
    await expect(guess).rejects.toMatchObject({ message: 'This does not look like a GitHub token.' })
    const { format: _none, ...free } = github
    await expect(credentials.set(ada, free, secret('a\r\nb'))).rejects.toMatchObject({ code: 'token.format' })
    await credentials.set(ada, free, secret('anything printable'))
    expect(await credentials.list(ten)).toMatchObject([{ provider: 'github', version: 1 }])
  })
})
