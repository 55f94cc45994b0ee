import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { acceptInvitation, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { GENEROUS } from '../../e2e/journey/outside.ts'
import { openSchema } from '../../e2e/sign-in/postgres.ts'
import { REDIS, withoutRedis } from '../../storage/shared/places.ts'
import { withoutPostgres } from '../../stores/databases.ts'

/** Longer than Redis takes to tell the others. */
const TOLD_MS = 2_000

/** Enters name and password at one process of a gate. */
async function enter(gate: Gate, name: string, password: string): Promise<number> {
  const page = await createBrowser().open(`${gate.url}/sign-in`)
  return (await page.press(/^Sign in/, { name, password })).status
}

test.skipIf(withoutPostgres || withoutRedis)(
  'guesses at a password that are spread over the processes of a gate count together (CWE-307)',
  { timeout: 60_000 },
  async () => {
    await using schema = await openSchema()
    const env = {
      DATABASE_URL: schema.databaseUrl,
      REDIS_URL: REDIS,
      SEKISHO_ROOT_KEY: randomBytes(32).toString('base64'),
    }
    const config = { mcpServers: {}, limits: { perMinute: GENEROUS } }
    await using one = await startGate({ config, env })
    await using other = await startGate({ config, env })
    await acceptInvitation(await one.inviteUser('ada'))
    await one.inviteUser('ben')

    for (const gate of [one, other, one, other, one]) expect(await enter(gate, 'ada', 'a wrong password')).toBe(400)
    await sleep(TOLD_MS)
    for (const gate of [other, one]) {
      expect(await enter(gate, 'ada', 'another wrong password')).toBe(429)
      expect(await enter(gate, 'ada', PASSWORD)).toBe(429)
      expect(await enter(gate, 'ben', 'a wrong password')).toBe(400)
    }
  },
)
