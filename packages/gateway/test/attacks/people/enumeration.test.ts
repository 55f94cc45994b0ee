import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { hidden, type Page } from '../../login/browser.ts'
import { createDevice } from '../../login/device.ts'
import { openHouse } from '../../login/federated/house.ts'
import { openEmbedded, openScene, type Scene } from '../../login/scene.ts'
import { enterPassword, giveApp, givePasskey, optionsIn, passkeyFields } from '../../login/ways-in.ts'

/** Whether there is a user, and what they have, shows to nobody who has proven nothing: CWE-204, CWE-203. */
const NAMED = { host: 'localhost' }

/** A page without what is new each time, and without the name that was entered. */
function plain({ status, text, headers }: Page, name = 'nobody') {
  return {
    status,
    headers: [...headers.keys()].toSorted(),
    text: text
      .replaceAll(/value="[\w-]{20,}"/g, '')
      .replaceAll(/&quot;challenge&quot;:&quot;[^&]+&quot;/g, '')
      .replaceAll(name, 'NAME'),
  }
}

test('a wrong password says nothing of the factors behind it (CWE-204)', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, NAMED)
  await scene.person('with-none')
  await giveApp(scene, await scene.person('with-app'))
  await givePasskey(scene, await scene.person('with-key'))
  const wrong = async (name: string) =>
    plain(await enterPassword(scene.browser(), name, { password: 'a wrong one' }), name)
  const nobody = await wrong('nobody')
  for (const name of ['with-none', 'with-app', 'with-key']) expect(await wrong(name)).toEqual(nobody)
  expect(nobody.status).toBe(400)
})

describe('a passkey', () => {
  test('is asked for without a list of those there are, whoever is named (CWE-203)', async () => {
    await using storage = await openEmbedded()
    await using scene = await openScene(storage, NAMED)
    await givePasskey(scene, await scene.person('ada'))
    const { uid } = scene.asked.put({ prompt: 'login', loginHint: 'ada' })
    const other = scene.asked.put({ prompt: 'login', loginHint: 'nobody' })
    const [known, unknown] = [
      await scene.browser().get(`/sign-in?next=/interaction/${uid}`),
      await scene.browser().get(`/sign-in?next=/interaction/${other.uid}`),
    ]
    const { challenge: _, ...asked } = JSON.parse(optionsIn(known))
    expect(asked.allowCredentials ?? []).toEqual([])
    expect(plain(known, 'ada').text.replaceAll(uid, '')).toBe(plain(unknown).text.replaceAll(other.uid, ''))
  })

  test('that nobody has is refused as one whose signature is wrong is (CWE-204)', async () => {
    await using storage = await openEmbedded()
    await using scene = await openScene(storage, NAMED)
    const ada = await givePasskey(scene, await scene.person('ada'))
    const stranger = createDevice(scene.origin)
    stranger.create(JSON.stringify({ challenge: 'x', rp: { id: 'localhost' }, user: { id: 'dXNlcg' } }))
    const answers = []
    for (const [device, spoil] of [
      [ada, true],
      [stranger, false],
    ] as const) {
      const browser = scene.browser()
      const page = await browser.get('/sign-in')
      const signed = device.get(optionsIn(page))
      const answer = spoil ? spoilSignature(signed) : signed
      answers.push(plain(await browser.post('/sign-in', { ...passkeyFields(page), answer })))
    }
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]?.status).toBe(400)
  })
})

function spoilSignature(answer: string): string {
  const parsed = JSON.parse(answer)
  const signature = Buffer.from(parsed.response.signature, 'base64url')
  signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1
  return JSON.stringify({ ...parsed, response: { ...parsed.response, signature: signature.toString('base64url') } })
}

test('the second step shows who has what to those alone who took the first (CWE-204)', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, NAMED)
  await giveApp(scene, await scene.person('with-app'))
  for (const path of ['/sign-in/second', '/sign-in/set-up'])
    expect(await scene.browser().get(path)).toMatchObject({ status: 303, location: '/sign-in' })
  const posted = await second(scene, 'with-app', 'wrong')
  expect(posted).toMatchObject({ status: 303, location: '/sign-in' })
})

/** Sends a code with a form of the first step, which a stranger has, and no proof of it. */
async function second(scene: Scene, name: string, password: string): Promise<Page> {
  const browser = scene.browser()
  await enterPassword(browser, name, { password })
  return browser.post('/sign-in/second', { ...hidden(await browser.get('/sign-in')), code: '000000' })
}

test('a link that was used, one that was made void, one of somebody who is gone and one that never was look alike (CWE-204)', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const [ada, ben, gone] = [await scene.person('ada'), await scene.person('ben'), await scene.person('gone')]
  const tenant = (await scene.storage.system.selectFrom('tenants').select('id').executeTakeFirstOrThrow()).id
  const used = await scene.link(ada.id)
  await scene.invitations.use(used.split('/').at(-1) ?? '', undefined)
  const made = await scene.link(ben.id)
  await scene.link(ben.id)
  const theirs = await scene.link(gone.id)
  await scene.users.remove(tenant, gone.id)
  const never = `/welcome/${'g'.repeat(43)}`
  const pages = await Promise.all(
    [used, made, theirs, never].map(async (path) => plain(await scene.browser().get(path))),
  )
  const noId = pages.map(({ text, ...rest }) => ({ ...rest, text: text.replace(/Request [\w-]+/, '') }))
  expect(new Set(noId.map((page) => JSON.stringify(page))).size).toBe(1)
  expect(noId[0]?.status).toBe(404)
})

test('where people sign in elsewhere, nothing that is said of a user goes along or comes back (CWE-203)', async () => {
  await using house = await openHouse()
  await house.person('grace')
  const start = async (name: string) => {
    const browser = createBrowser({ stopAt: (url) => url.origin !== house.url })
    const page = await browser.open(`${house.url}/sign-in`)
    const { url, status } = await page.press(/Continue with Corp/, { name, login_hint: name })
    const target = new URL(url)
    for (const own of ['state', 'nonce', 'code_challenge']) target.searchParams.delete(own)
    return [status, target.href]
  }
  expect(await start('grace')).toEqual(await start('nobody'))
})
