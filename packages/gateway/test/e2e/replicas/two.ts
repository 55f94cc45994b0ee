import { startEverything } from '@sekisho/playground/everything/http'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { REDIS } from '../../storage/shared/places.ts'
import { openSchema } from '../sign-in/postgres.ts'

/** Two processes of one gate, on one database and one Redis, with a server called `slow` behind both. */
export async function openTwo() {
  await using stack = new AsyncDisposableStack()
  const { databaseUrl } = stack.use(await openSchema())
  const everything = stack.use(await startEverything({ port: 0 }))
  const rootKey = Buffer.alloc(32, 7).toString('base64')
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: REDIS, SEKISHO_ROOT_KEY: rootKey }
  const config = { mcpServers: { slow: { url: everything.url } } }
  const one = stack.use(await startGate({ config, env }))
  const two = stack.use(await startGate({ config, env }))
  const kept = stack.move()
  return { one, two, databaseUrl, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
