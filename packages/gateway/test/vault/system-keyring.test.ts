import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { createSystemKeyring } from '../../src/vault/system-keyring.ts'
import { newDirectory } from '../stores/databases.ts'
import { openDesktop, withoutDesktop } from './desktop.ts'

const LOCKED = 'it is locked, and was not unlocked'

describe.skipIf(withoutDesktop)('the keyring of a session', () => {
  test('keeps what it is given, one value for each account, until it is told to forget it', async () => {
    await using desktop = await openDesktop()
    const { keyring } = desktop
    expect(await keyring.find('one')).toBeUndefined()
    await keyring.put('one', secret('first'))
    await keyring.put('two', secret('“ünusual”\n'))
    await keyring.put('one', secret('second'))
    expect((await keyring.find('one'))?.reveal()).toBe('second')
    expect((await keyring.find('two'))?.reveal()).toBe('“ünusual”\n')
    await keyring.remove('one')
    await keyring.remove('one')
    expect(await keyring.find('one')).toBeUndefined()
    expect(await keyring.find('two')).toBeDefined()
  })

  test('that is locked, where nobody unlocks it, refuses, and says so', async () => {
    await using desktop = await openDesktop()
    await desktop.keyring.put('one', secret('first'))
    await desktop.lock()
    const reasonOf = (asked: Promise<unknown>) =>
      asked.then(
        () => 'none',
        (error: Problem) => error.details['reason'],
      )
    // Until the service is there again.
    await expect.poll(() => reasonOf(desktop.keyring.find('one')), { timeout: 20_000, interval: 250 }).toBe(LOCKED)
    expect(await reasonOf(desktop.keyring.put('two', secret('second')))).toBe(LOCKED)
  })

  test('that is left refuses, and says why', async () => {
    await using desktop = await openDesktop()
    await desktop.keyring.put('one', secret('first'))
    await desktop.leave()
    const refused = { code: 'vault.keyring_refused', details: { reason: 'there is no desktop session here' } }
    await expect(desktop.keyring.find('one')).rejects.toMatchObject(refused)
    await expect(desktop.keyring.put('one', secret('x'))).rejects.toMatchObject(refused)
    await expect(desktop.keyring.remove('one')).rejects.toMatchObject(refused)
  })
})

describe.runIf(process.platform === 'linux')('without one', () => {
  test('it is said that there is none', async () => {
    const keyring = createSystemKeyring({ environment: { HOME: newDirectory().dataDir } })
    const refused = { code: 'vault.keyring_refused', details: { reason: 'there is no desktop session here' } }
    await expect(keyring.find('one')).rejects.toMatchObject(refused)
  })

  test('a bus that never answers holds nothing up, and is given up', async () => {
    const path = join(newDirectory().dataDir, 'silent')
    const asked = Promise.withResolvers<void>()
    const bus = createServer((socket) => void socket.once('data', () => asked.resolve()))
    await new Promise<void>((resolve) => void bus.listen(path, resolve))
    onTestFinished(() => void bus.close())
    const environment = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` }
    const found = createSystemKeyring({ environment, answerMs: 2_000 }).find('one')
    found.catch(() => {})
    // This process goes on while the bus is silent.
    await asked.promise
    const reason = 'it did not answer within 2 s'
    await expect(found).rejects.toMatchObject({ code: 'vault.keyring_refused', details: { reason } })
  })

  test('a keyring process is given no variable that is none of its business', async () => {
    // A program that Node would run first would find this one; it is not handed on, so that the answer comes.
    const environment = { NODE_OPTIONS: '--require=/nowhere/to/be/found.cjs', SEKISHO_ROOT_KEY: 'the key' }
    const found = createSystemKeyring({ environment }).find('one')
    await expect(found).rejects.toMatchObject({ details: { reason: 'there is no desktop session here' } })
  })
})
