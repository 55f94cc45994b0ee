import { createPublicKey, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { eachDatabase } from '../stores/databases.ts'
import { createBrowser } from './browser.ts'
import { authorize, authorizeUrl, createPkce, DAY, openScene, redeem, registerClient, type Scene } from './scene.ts'

type Keys = readonly (Record<string, string> & { kid: string })[]

async function readKeys(scene: Scene): Promise<Keys> {
  const { body } = await scene.get('/jwks')
  return body['keys'] as Keys
}

function isSigned(token: string, keys: Keys): boolean {
  const [head = '', payload = '', signature = ''] = token.split('.')
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string }
  const key = keys.find((each) => each.kid === kid)
  if (key === undefined) return false
  const bytes = Buffer.from(`${head}.${payload}`)
  return verify('RSA-SHA256', bytes, createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64url'))
}

eachDatabase((_name, openFresh) => {
  test('R1-11: signing keys change without a stop, and what was signed before can be verified for a month', async () => {
    await using database = await openFresh()
    const scene = await openScene(database, { makesKeys: true })
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const signIn = async (): Promise<string> => {
      const { verifier, challenge } = createPkce()
      const url = authorizeUrl(scene, { clientId, challenge, more: { scope: 'openid', nonce: 'n' } })
      const { answer } = await authorize(scene, createBrowser({ id: user.id }), user, url)
      const { body } = await redeem(scene, { clientId, code: answer.searchParams.get('code') ?? '', verifier })
      return String(body['id_token'])
    }
    const first = await readKeys(scene)
    expect(new Set(first.map(({ alg }) => alg))).toEqual(new Set(['ES256', 'RS256']))
    expect(first.every((key) => key['d'] === undefined)).toBe(true)
    const early = await signIn()
    await scene.restart()
    expect(await readKeys(scene)).toEqual(first)

    scene.clock.turn(91 * DAY)
    const stillRunning = signIn()
    await Promise.all([scene.server.tend(), scene.server.tend(), stillRunning])
    const both = await readKeys(scene)
    expect(both.length).toBe(4)
    expect(isSigned(early, both)).toBe(true)
    const late = await signIn()
    expect(isSigned(late, first)).toBe(false)
    expect(isSigned(late, both)).toBe(true)

    scene.clock.turn(31 * DAY)
    await scene.server.tend()
    const left = await readKeys(scene)
    expect(isSigned(early, left)).toBe(false)
    expect(isSigned(late, left)).toBe(true)
  })
})
