import { expect, test } from 'vitest'
import type { UpstreamId, UserId } from '../../../src/base/ids.ts'
import { openAnnouncements, type Announcements } from '../../../src/storage/shared/announcements.ts'
import { ten } from '../../stores/databases.ts'
import { createListeningLog, eventually, eachBus } from './places.ts'

const ada = { tenant: ten, userId: 'usr_ada' as UserId }
const files = 'files' as UpstreamId

eachBus((openProcesses) => {
  test('what one process tells, the others hear, and it does not hear itself', async () => {
    const { log } = createListeningLog()
    const all: Announcements[] = []
    for (const { bus } of await openProcesses(3)) all.push(await openAnnouncements({ bus, log }))
    const heard: unknown[] = []
    for (const [index, each] of all.entries()) {
      each.hear('credential', (what) => heard.push([index, 'credential', what]))
      each.hear('user', (what) => heard.push([index, 'user', what]))
    }
    all[0]?.tell('credential', { ...ada, server: files })
    all[1]?.tell('user', ada)
    const credential = { ...ada, server: files }
    await eventually(() => expect(heard).toHaveLength(4))
    expect(heard).toEqual(
      expect.arrayContaining([
        [1, 'credential', credential],
        [2, 'credential', credential],
        [0, 'user', ada],
        [2, 'user', ada],
      ]),
    )
  })

  test('that nobody could be told keeps nobody from going on', async () => {
    const [process] = await openProcesses(1)
    if (!process) throw new Error('there is one')
    const { log, heard, events } = createListeningLog()
    const announcements = await openAnnouncements({ bus: process.bus, log })
    await process.close()
    announcements.tell('user', ada)
    await heard('shared.not_told')
    expect(events).toEqual(['shared.not_told'])
  })
})
