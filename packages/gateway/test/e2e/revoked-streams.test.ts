import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { textAt } from '../../../../scripts/lib/admin.ts'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { REDIS, withoutRedis } from '../storage/shared/places.ts'
import { withoutPostgres } from '../stores/databases.ts'
import { openListening, openOwnStream } from './open-streams.ts'
import { childServer, doorOf } from './place.ts'
import { openSchema } from './sign-in/postgres.ts'
import { namesOf } from './wire.ts'

/** Who is let in is asked again with every request; a stream is one request that lasts, so it has to be ended. */

const config = { mcpServers: { own: childServer() } }

async function addKey(gate: Gate): Promise<{ id: string; key: string }> {
  const { body } = await gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  return { id: textAt(Reflect.get(Object(body), 'record'), 'id'), key: textAt(body, 'key') }
}

async function revoke(gate: Gate, id: string): Promise<void> {
  expect((await gate.admin('DELETE', `/admin/api/keys/${id}`)).status).toBe(204)
}

test('a key that is revoked ends the streams that were opened with it, and no others', async () => {
  await using gate = await startGate({ config })
  await gate.addUser('ada')
  const [revoked, kept] = [await addKey(gate), await addKey(gate)]
  const own = await openOwnStream(doorOf(gate, revoked, 'legacy'))
  const listening = await openListening(doorOf(gate, revoked))
  const others = [await openOwnStream(doorOf(gate, kept, 'legacy', 'own')), await openListening(doorOf(gate, kept))]

  await revoke(gate, revoked.id)
  await own.ended
  expect(await listening.ended).toContain('"id":"listening","result":')
  expect(await namesOf(doorOf(gate, kept))).toContain('own__whoami')
  expect(others.map((other) => other.isOpen())).toEqual([true, true])

  await gate.admin('DELETE', '/admin/api/users/ada')
  await Promise.all(others.map(({ ended }) => ended))
})

describe.skipIf(withoutRedis || withoutPostgres)('where several processes serve one database', () => {
  test('a key that is revoked at one of them ends the streams at the others', async () => {
    await using schema = await openSchema()
    const root = randomBytes(32).toString('base64')
    const env = { DATABASE_URL: schema.databaseUrl, REDIS_URL: REDIS, SEKISHO_ROOT_KEY: root }
    await using one = await startGate({ config, env })
    await using other = await startGate({ config, env })
    await one.addUser('ada')
    const [revoked, kept] = [await addKey(one), await addKey(one)]
    const streams = [await openOwnStream(doorOf(other, revoked, 'legacy')), await openListening(doorOf(other, revoked))]
    const going = await openListening(doorOf(other, kept))

    await revoke(one, revoked.id)
    await Promise.all(streams.map(({ ended }) => ended))
    expect(await namesOf(doorOf(other, kept))).toContain('own__whoami')
    expect(going.isOpen()).toBe(true)
  })
})
