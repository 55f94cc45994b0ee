import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newDirectory } from '../stores/databases.ts'
import { openGate } from './gate.ts'

test('agents are added, listed, given another secret and removed', async () => {
  await using gate = await openGate()
  const added = await gate.run(['agent', 'add', 'nightly'])
  expect(added).toMatchObject({ code: 0, errors: '', output: expect.stringContaining('http://localhost:7354/token') })
  const [, clientId = ''] = /client id {2}(agt_\w+)/.exec(added.output) ?? []
  const [, clientSecret = ''] = /secret {5}([\w-]{43}) \(shown this once\)/.exec(added.output) ?? []
  const listed = await gate.run(['agent', 'list'])
  expect(listed.output).toContain(clientId)
  expect(listed.output).not.toContain(clientSecret)
  const renewed = JSON.parse((await gate.run(['agent', 'secret', 'nightly', '--json'])).output)
  expect(renewed).toMatchObject({ agent: { clientId }, clientSecret: expect.stringMatching(/^[\w-]{43}$/) })
  expect(renewed.clientSecret).not.toBe(clientSecret)
  expect((await gate.run(['agent', 'remove', 'nightly'])).code).toBe(0)
  expect((await gate.run(['agent', 'list'])).output).toBe('There are no agents.\n')
})

test('an agent with keys of its own has no secret; a file that is none is said to be so', async () => {
  await using gate = await openGate()
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const file = join(newDirectory().dataDir, 'jwks.json')
  writeFileSync(file, JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }))
  expect((await gate.run(['agent', 'add', 'signer', '--keys', file])).output).toContain('secret     its own keys')
  const refused = await gate.run(['agent', 'add', 'other', '--keys', `${file}.missing`])
  expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('cannot be read') })
})
