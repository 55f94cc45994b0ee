import { expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { createWatches } from '../../src/mcp/watches.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import { createTime } from './bridge-scene.ts'
import { notes, principalOf, quiet } from './sessions-scene.ts'
import { createServers } from './watched-servers.ts'

/** Somebody who listens to a server, and looks up their credential as a test has it. */
function openWatch() {
  const servers = createServers([notes])
  const time = createTime()
  const ada = principalOf('ada')
  let failure: Error | undefined
  const watches = createWatches({
    upstreams: {
      definitions: [],
      watch: (server, watcher) => servers.watch(server, watcher, ada),
      tell: () => {},
    },
    credentials: {
      async require() {
        if (failure) throw failure
        return undefined
      },
    },
    later: time.later,
    log: quiet,
  })
  return {
    servers,
    time,
    failWith: (error: Error | undefined) => (failure = error),
    renew: () => watches.renew(ada, notes),
    listen: () =>
      watches.watch(
        notes,
        {
          client: PLAIN_CLIENT,
          interests: { lists: new Set(['tools']), uris: new Set() },
          notify: () => {},
          ask: () => Promise.reject(new Error('nobody is asked')),
        },
        ada,
      ),
  }
}

test('a server is listened to as soon as a credential that could not be looked up can be', async () => {
  const scene = openWatch()
  scene.failWith(new Error('the database is away'))
  scene.listen()
  await scene.time.pass(60_000)
  expect(scene.servers.at(notes)).toHaveLength(0)
  scene.failWith(undefined)
  await scene.time.pass(60_000)
  expect(scene.servers.at(notes)).toHaveLength(1)
  expect(scene.time.waiting).toBe(0)
})

test('a credential that its user has yet to bring is not looked for until they do', async () => {
  const scene = openWatch()
  scene.failWith(problem('token.required', { server: notes }))
  scene.listen()
  await scene.time.pass(60_000)
  expect(scene.time.waiting).toBe(0)
  scene.failWith(undefined)
  scene.renew()
  await scene.time.pass(0)
  expect(scene.servers.at(notes)).toHaveLength(1)
})

test('who does not listen any more tries nothing again', async () => {
  const scene = openWatch()
  scene.failWith(new Error('the database is away'))
  const watching = scene.listen()
  await scene.time.pass(60_000)
  watching.close()
  scene.failWith(undefined)
  await scene.time.pass(60_000)
  expect([scene.servers.opened, scene.time.waiting]).toEqual([0, 0])
})
