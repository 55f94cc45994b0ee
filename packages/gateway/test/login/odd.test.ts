import { expect, test } from 'vitest'
import { eachDatabase } from '../stores/databases.ts'
import { openScene } from './scene.ts'
import { enterPassword } from './ways-in.ts'

eachDatabase((_name, openFresh) => {
  test('R0-56d: a sign-in with another browser, and one after many failures, are odd; the first of all is not', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const laptop = () => scene.browser({ 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' })
    for (let day = 0; day < 2; day++) expect((await enterPassword(laptop(), 'ada')).status).toBe(303)
    expect(scene.odd).toEqual([])

    await enterPassword(scene.browser({ 'user-agent': 'curl/8.0' }), 'ada')
    expect(scene.odd).toEqual(['new_place'])
    expect(await scene.audited()).toContainEqual(
      expect.objectContaining({ kind: 'account.odd', what: 'new_place', user: ada.id, browser: 'curl/8.0' }),
    )

    for (let guess = 0; guess < 5; guess++) {
      scene.clock.turn(2_000)
      expect((await enterPassword(scene.browser(), 'ada', { password: 'a wrong one' })).status).toBe(400)
    }
    scene.clock.turn(60_000)
    expect((await enterPassword(laptop(), 'ada')).status).toBe(303)
    expect(scene.odd).toEqual(['new_place', 'after_failures'])
  })

  test('what is odd about one user is not about another', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    for (const name of ['ada', 'ben']) await scene.person(name)
    await enterPassword(scene.browser(), 'ada')
    for (let guess = 0; guess < 5; guess++) {
      scene.clock.turn(2_000)
      await enterPassword(scene.browser(), 'ada', { password: 'a wrong one' })
    }
    await enterPassword(scene.browser({ 'user-agent': 'curl/8.0' }), 'ben')
    expect(scene.odd).toEqual([])
  })
})
