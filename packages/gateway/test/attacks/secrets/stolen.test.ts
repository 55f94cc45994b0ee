import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGate, type GateOptions } from '../../../../../scripts/lib/gate.ts'
import { sekisho } from '../../cli/gate.ts'
import { filesOf } from '../../e2e/place.ts'
import { newDirectory } from '../../stores/databases.ts'
import { openDesktop, withoutDesktop } from '../../vault/desktop.ts'

const TOKEN = 'a-token-of-ada-0123456789'
const config = {
  mcpServers: {
    notes: {
      command: 'node',
      env: { TOKEN: { $userToken: '{{token}}' } },
      tokenSetup: { name: 'Notes', instructions: '-' },
    },
  },
}

/** What a gate leaves on the disk that keeps a token of ada's, as somebody takes it away. */
async function steal(env: NonNullable<GateOptions['env']>): Promise<string> {
  const { dataDir } = newDirectory()
  const gate = await startGate({ dataDir, config, env })
  await gate.addUser('ada')
  await gate.setToken('ada', 'notes', TOKEN)
  await gate.stop()
  const stolen = join(newDirectory().dataDir, 'stolen')
  cpSync(dataDir, stolen, { recursive: true, filter: (path) => !path.endsWith('.sock') })
  return stolen
}

function expectNothingIn(stolen: string): void {
  const files = [...filesOf(stolen)]
  expect(files.map(([file]) => file)).toContain(join(stolen, 'sekisho.db'))
  for (const [, bytes] of files) expect(bytes.includes(TOKEN)).toBe(false)
}

test.skipIf(withoutDesktop)(
  'a data directory whose key is in a keyring opens nowhere else (CWE-312, CWE-522)',
  { timeout: 90_000 },
  async () => {
    await using desktop = await openDesktop()
    const stolen = await steal({ ...desktop.environment, SEKISHO_ROOT_KEY_STORE: 'auto' })
    expectNothingIn(stolen)
    await using elsewhere = await openDesktop()
    const env = { ...elsewhere.environment, SEKISHO_ROOT_KEY_STORE: 'auto' }
    await expect(startGate({ dataDir: stolen, config, env })).rejects.toThrow(
      /root key is not at .*root\.key, nor in the keyring/,
    )
    await using again = await startGate({
      dataDir: stolen,
      config,
      env: { ...desktop.environment, SEKISHO_ROOT_KEY_STORE: 'auto' },
    })
    expect((await again.admin('GET', '/admin/api/tokens')).body).toMatchObject({
      tokens: [{ server: 'notes', user: 'ada' }],
    })
  },
)

test(
  'a key file under a passphrase opens by no other, and by no change of it (CWE-521, CWE-916)',
  { timeout: 90_000 },
  async () => {
    const stolen = await steal({ SEKISHO_ROOT_KEY_PASSPHRASE: 'the right words for this one' })
    expectNothingIn(stolen)
    const file = join(stolen, 'root.key')
    const sealed = readFileSync(file, 'utf8')
    expect(sealed).not.toMatch(/[\w+/]{43}=(?!=)\s*$/)
    const unprotect = (passphrase: string) =>
      sekisho(['root-key', 'unprotect'], {
        environment: { SEKISHO_DATA: stolen, SEKISHO_ROOT_KEY_PASSPHRASE: passphrase },
      })
    for (const guess of ['the right words for this one ', 'The right words for this one', 'x', TOKEN])
      expect(await unprotect(guess)).toMatchObject({
        code: 1,
        output: '',
        errors: expect.stringContaining('does not open'),
      })
    expect(readFileSync(file, 'utf8')).toBe(sealed)
    rmSync(file)
    await expect(startGate({ dataDir: stolen, config })).rejects.toThrow(
      /root key is not at .*root\.key, (?:nor in|and) the keyring/,
    )
  },
)
