import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { read, startMal, type StartedMal } from './support.ts'

const edit = (form: Record<string, string>) => ({ method: 'PATCH', body: new URLSearchParams(form) })

describe('what stands in front of the API', () => {
  test.each([
    { throttlePage: 'forbidden', status: 403, type: 'application/json' },
    { throttlePage: 'html', status: 403, type: 'text/html' },
    { throttlePage: 'too_many', status: 429, type: 'application/json' },
  ] as const)('turns a flood away as $throttlePage', async ({ throttlePage, status, type }) => {
    await using mal = await startMal()
    Object.assign(mal.settings, { throttlePage, throttle: { perSecond: 1, burst: 1 } })
    const mika = mal.as('mika')
    await mika('/users/@me')
    const turnedAway = await mika('/users/@me')
    expect(turnedAway.status).toBe(status)
    expect(turnedAway.headers.get('content-type')).toContain(type)
    mal.pass(1)
    expect((await mika('/users/@me')).status).toBe(200)
  })

  test('is down until it is back, in each of its ways', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    mal.settings.outage = 'unavailable'
    expect((await mika('/users/@me')).status).toBe(503)
    mal.settings.outage = 'html'
    expect(await (await mika('/users/@me')).text()).toContain('<h1>Maintenance</h1>')
    mal.settings.outage = 'hang'
    await expect(mika('/users/@me', { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout')
    mal.settings.outage = undefined
    expect((await mika('/users/@me')).status).toBe(200)
  })

  test('answers late where it is told to', async () => {
    await using mal = await startMal()
    mal.settings.delayMs = 60_000
    await expect(mal.as('mika')('/users/@me', { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout')
  })
})

describe('lists', () => {
  test('that are private look forbidden, or as if nobody had that name', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    expect((await mika('/users/hermit/animelist')).status).toBe(403)
    mal.settings.privateList = 'not_found'
    expect((await mika('/users/hermit/animelist')).status).toBe(404)
    expect((await mal.as('hermit')('/users/@me/animelist')).status).toBe(200)
  })

  test('of who may not write are read and not changed', async () => {
    await using mal = await startMal()
    mal.settings.writing = 'refused'
    const mika = mal.as('mika')
    expect((await mika('/users/@me/animelist')).status).toBe(200)
    expect(await read(mika('/anime/1001/my_list_status', edit({ score: '5' })))).toMatchObject({ status: 403 })
  })

  test('overlook a field without a word, and write their numbers as strings', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    const path = await pathOfFirst(mal)
    await mika(path, edit({ score: '3', priority: '1' }))
    mal.settings.overlooks = ['score']
    mal.settings.numbers = 'strings'
    expect((await read(mika(path, edit({ score: '9', priority: '2' })))).body).toMatchObject({
      score: '3',
      priority: '2',
    })
    expect((await read(mika('/users/@me/animelist?limit=1&fields=list_status'))).body).toMatchObject({
      data: [{ list_status: { score: '3' } }],
    })
  })

  test('answer the removal of what is not there as they are, or as their documentation says', async () => {
    await using mal = await startMal()
    const newcomer = mal.as('newcomer')
    const path = await pathOfFirst(mal)
    expect((await newcomer(path, { method: 'DELETE' })).status).toBe(200)
    mal.settings.removeAbsent = 'not_found'
    expect((await newcomer(path, { method: 'DELETE' })).status).toBe(404)
  })
})

const Page = z.object({ data: z.tuple([z.object({ node: z.object({ id: z.number() }) })]) })

/** Where mika's first entry is edited. */
async function pathOfFirst(mal: StartedMal): Promise<string> {
  const { body } = await read(mal.as('mika')('/users/@me/animelist?limit=1'))
  return `/anime/${Page.parse(body).data[0].node.id}/my_list_status`
}
