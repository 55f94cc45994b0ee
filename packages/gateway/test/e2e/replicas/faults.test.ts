import { describe, expect, test } from 'vitest'
import { runFaults } from '../../../../../scripts/lib/faults-run.ts'
import { showFaults } from '../../../../../scripts/lib/faults-shown.ts'
import { REDIS, withoutRedis } from '../../storage/shared/places.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { openSchema } from '../sign-in/postgres.ts'

/** The short form of `npm run faults`. */
describe.skipIf(withoutRedis || withoutPostgres)('two processes behind a proxy that knows no sessions', () => {
  test('lose nothing but what the killed one was doing, and say so', { timeout: 120_000 }, async () => {
    await using schema = await openSchema()
    const faults = await runFaults({
      databaseUrl: schema.databaseUrl,
      redisUrl: REDIS,
      calls: 24,
      atOnce: 16,
      sessionsEach: 2,
      parked: 2,
      kills: 1,
      held: 3,
      comesBack: false,
    })
    const { lines, problems } = showFaults(faults)
    if (problems.length > 0) console.log([...lines, faults.log].join('\n'))
    expect(problems).toEqual([])
    expect(faults.modern.http.right + faults.modern.pipes.right).toBe(48)
  })
})
