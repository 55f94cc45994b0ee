import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { openScene } from './scene.ts'
import { enterPassword } from './ways-in.ts'

const YEAR = 365 * 86_400_000

eachDatabase((name, openFresh) => {
  test.skipIf(name === 'sqlite')(
    'who is removed while they sign in is removed, and neither waits for the other',
    async () => {
      await using fresh = await openFresh()
      await using scene = await openScene(fresh.storage)
      const [ada, bob] = [await scene.person('ada'), await scene.person('bob')]
      const from = { browser: 'Firefox/1', address: '::1', amr: ['pwd'] }
      await scene.sessions.start(DEFAULT_TENANT, bob.id, from)
      scene.clock.turn(YEAR)
      const [held, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      // Sessions that are over are cleared away at each sign-in, which waits for this one in the midst of it.
      const elsewhere = (await fresh.again()).for(DEFAULT_TENANT).transaction(async (db) => {
        const rows = db.updateTable('sessions').set((row) => ({ seen_at: row.ref('seen_at') }))
        await rows.where('user_id', '=', bob.id).execute()
        held.resolve()
        await over.promise
      })
      await held.promise
      const signedIn = enterPassword(scene.browser(), 'ada')
      await pause(400)
      const removed = scene.users.remove(DEFAULT_TENANT, ada.id)
      await pause(200)
      over.resolve()
      await Promise.all([elsewhere, removed])
      expect(await signedIn).toMatchObject({ status: 303 })
      expect(scene.failures).toEqual([])
      expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toEqual([])
    },
  )

  test.skipIf(name === 'sqlite')('and so is who is removed while they use the link that lets them in', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const { id } = await scene.users.add(DEFAULT_TENANT, { name: 'ada', role: 'member' })
    const { url } = await scene.invitations.create(DEFAULT_TENANT, id)
    const [held, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const elsewhere = (await fresh.again()).system.transaction().execute(async (db) => {
      await sql`lock table passwords in share mode`.execute(db)
      held.resolve()
      await over.promise
    })
    await held.promise
    const used = scene.invitations.use(url.reveal().split('/').at(-1) ?? '', secret('a long new password'))
    await pause(400)
    const removed = scene.users.remove(DEFAULT_TENANT, id)
    await pause(200)
    over.resolve()
    await Promise.all([elsewhere, used, removed])
    expect(await scene.users.find(DEFAULT_TENANT, 'ada')).toBeUndefined()
  })
})
