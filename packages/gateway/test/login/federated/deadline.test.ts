import { expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { openHouse } from './house.ts'

// Waits as long as the gate does: it is apart, so that what runs the tests over and over can leave it out.
test('an answer as long as one likes, or none at all, holds nobody up', async () => {
  await using house = await openHouse()
  house.idp.settings.reach = 'hangs'
  const page = await (await createBrowser().open(`${house.url}/sign-in`)).press(/Continue with Corp/)
  expect(page.status).toBe(502)
  expect(page.text).toMatch(/cannot be reached/)
})
