import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import type { Storage } from '../../src/storage/database.ts'
import { eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { HOUR, open, recordOf, startRotating } from './rotating.ts'
import { ada, connect, type Scene } from './scene.ts'
import type { Scripted } from './scripted-server.ts'

/** Tokens of another program: they are tried, and no attempt costs the grant they stand for. */
const by = { userId: ada.userId }

/** As a program kept them that was last used an hour ago. */
function take({ connections, clock, link }: Scene, refreshToken: string | undefined = 'r0') {
  const refresh = refreshToken === '' ? undefined : secret(refreshToken)
  const times = { expiresAt: clock.now() - HOUR, scopes: undefined }
  const tokens = { accessToken: secret('a0'), refreshToken: refresh, ...times }
  return connections.import({ holder: ada, link, server: 's', tokens, by })
}

const kindsOf = async (scene: Scene) => (await scene.auditKinds()).map(({ kind }) => kind)
const refuseAll = (server: Scripted) => server.on('/me', () => ({ status: 401 }))

eachDatabase((_name, openFresh) => {
  test('what was renewed while it was tried is kept, whatever the account’s address answers: the file has nothing more', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    refuseAll(server)
    expect(await take(scene)).toEqual({ account: undefined })
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', account: undefined })
    expect(await use()).toBe('a2')
    expect(await kindsOf(scene)).toEqual(['connection.imported', 'connection.refreshed', 'connection.refreshed'])
  })

  test('a database that fails after the renewal costs nothing', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    let broken = false
    const storage = (whole: Storage): Storage => ({
      ...whole,
      for: (tenant) => {
        const db = whole.for(tenant)
        const transaction: typeof db.transaction = (work) =>
          broken ? Promise.reject(new Error('disk full')) : db.transaction(work)
        return { ...db, transaction }
      },
    })
    const { scene, use } = await open(database, server, { storage })
    await using _ = scene
    server.on('/me', () => {
      // The second renewal is granted, and cannot be written.
      broken = true
      return { status: 401 }
    })
    await take(scene)
    broken = false
    expect(await use()).toBe('a2')
  })

  test('what the provider refuses, renewed or not, is forgotten, and the audit log says both', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene } = await open(database, server)
    await using _ = scene
    refuseAll(server)
    expect(await codeOf(take(scene, 'made-up'))).toBe('connection.import_refused')
    expect(await codeOf(take(scene, ''))).toBe('connection.import_refused')
    expect(await recordOf(scene)).toBeUndefined()
    const kinds = await kindsOf(scene)
    expect(kinds.filter((kind) => kind === 'connection.imported')).toHaveLength(2)
    expect(kinds.filter((kind) => kind === 'connection.removed')).toHaveLength(2)
  })

  test('of two who import at once one is told that there is a connection, and its tokens replace nothing', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    const held = server.hold('/token')
    const first = take(scene)
    await held.reached
    expect(await codeOf(take(scene, 'of-another-program'))).toBe('connection.exists')
    held.letGo()
    expect(await first).toEqual({ account: 'ada' })
    expect(await use()).toBe('a1')
  })

  test('a connection that was made in a browser just before the import is taken back is not forgotten', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    let transactions = 0
    const storage = (whole: Storage): Storage => ({
      ...whole,
      for: (tenant) => {
        const db = whole.for(tenant)
        const transaction: typeof db.transaction = async (work) => {
          // The first keeps what is imported.
          if (++transactions === 2) await connect(scene)
          return db.transaction(work)
        }
        return { ...db, transaction }
      },
    })
    const { scene, use } = await open(database, server, { storage })
    await using _ = scene
    server.on('/me', ({ headers }) =>
      headers.authorization === 'Bearer a0' ? { status: 401 } : { body: { login: 'ada' } },
    )
    await take(scene, '')
    expect(await use()).toBe('a1')
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', account: 'ada' })
  })

  test('what is imported has its event before it is tried', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene } = await open(database, server)
    await using _ = scene
    const seen: string[][] = []
    server.on('/me', async () => {
      seen.push(await kindsOf(scene))
      return { body: { login: 'ada' } }
    })
    expect(await take(scene)).toEqual({ account: 'ada' })
    expect(seen[0]).toContain('connection.imported')
    expect(await codeOf(take(scene))).toBe('connection.exists')
  })
})
