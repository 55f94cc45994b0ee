import { expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { secret, type Secret } from '../../src/base/secret.ts'
import { asker, listsOf, openScene, personalServer } from './scene.ts'

/** A server that takes one token and refuses all others, and a user whose token another may take the place of. */
function openRefused(renewed: string | undefined, details: object = { upstreamStatus: 401 }) {
  let token = secret('old')
  const asked: { refused: string; scopes: readonly string[] | undefined }[] = []
  const { 'tools/list': list = '', ...others } = listsOf('maps')
  const refusing = (one: { token: string | undefined }) => {
    if (one.token !== 'new') throw problem('upstream.refused', { server: 'maps', ...details })
    return typeof list === 'string' ? list : ''
  }
  const scene = openScene({
    servers: [personalServer('maps', { ...others, 'tools/list': refusing })],
    token: () => token,
    async renew(refused: Secret, scopes) {
      asked.push({ refused: refused.reveal(), scopes })
      if (renewed === undefined) throw problem('connection.rejected', { server: 'maps', provider: 'Maps', url: 'x' })
      return (token = secret(renewed))
    },
  })
  return { scene, asked }
}

test('a list that is refused for its credential is asked for once more, with another', async () => {
  const { scene, asked } = openRefused('new')
  const [standing] = await scene.registry.list(asker(), 'tools')
  expect(standing).toMatchObject({ items: [{ name: 'maps' }], failure: undefined })
  expect(asked).toEqual([{ refused: 'old', scopes: undefined }])
})

test('where there is no other the list says how to get one, and is not asked for again and again', async () => {
  const { scene } = openRefused(undefined)
  const [standing] = await scene.registry.list(asker(), 'tools')
  expect(standing?.failure?.code).toBe('connection.rejected')

  const stubborn = openRefused('newer')
  const [other] = await stubborn.scene.registry.list(asker(), 'tools')
  expect(other?.failure?.code).toBe('upstream.refused')
  expect(stubborn.asked).toHaveLength(1)
})

test('a server that wants more scopes before it lists says so to whoever can ask for them', async () => {
  const { scene, asked } = openRefused('new', { upstreamStatus: 403, scopes: ['read'] })
  await scene.registry.list(asker(), 'tools')
  expect(asked).toEqual([{ refused: 'old', scopes: ['read'] }])
})
