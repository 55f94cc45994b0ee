import { expect, test } from 'vitest'
import { crashAndResume } from './crash.ts'

test('a server that is killed in the middle of many changes is resumed by the next: each entry once, and all of them', async () => {
  const report = await crashAndResume({ user: 'haru', items: 60, killAfter: [20, 41] })
  expect(report).toMatchObject({ wrong: [], notOnce: [], kills: 2 })
  expect(report.last).toMatchObject({ state: 'done', done: 60, failed: 0, left_alone: 0, not_yet: 0, troubles: [] })
  expect(report.undone).toEqual({ done: 60, wrong: [] })
  console.log(report.requests, report.milliseconds, report.mostMegabytes)
}, 120_000)
