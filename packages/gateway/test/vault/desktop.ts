import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProgram } from '../../../../scripts/lib/processes.ts'
import { secret } from '../../src/base/secret.ts'
import { createSystemKeyring, type SystemKeyring } from '../../src/vault/system-keyring.ts'

/** A desktop session of a test's own, as far as it keeps secrets: a bus, and a Secret Service on it. */
export interface Desktop extends AsyncDisposable {
  /** What a program of this session is started with. */
  readonly environment: Readonly<Record<string, string>>
  readonly keyring: SystemKeyring
  /** Locks what is kept, as after a restart of the session without a password; there is nobody to unlock it. */
  lock(): Promise<void>
  /** Ends the session: nobody answers on its bus any more. */
  leave(): Promise<void>
}

const PROGRAMS = ['dbus-daemon', 'gnome-keyring-daemon']
const missing = PROGRAMS.filter((name) => spawnSync(name, ['--version']).error !== undefined)

/** Where they are missing the tests with a real keyring are left out; a machine that checks everything must have them. */
export const withoutDesktop = missing.length > 0 && process.env['CI'] !== 'true'
if (missing.length > 0)
  console.warn(
    `There is no ${missing.join(' and no ')} here: the tests with a real keyring are left out, or fail in CI.`,
  )

/** Opens a session whose keyring is unlocked. Its bus starts nothing by itself. */
export async function openDesktop(): Promise<Desktop> {
  const home = await mkdtemp(join(tmpdir(), 'sekisho-desktop-'))
  const configuration = join(home, 'bus.conf')
  await writeFile(configuration, busConfiguration(home))
  const bus = startProgram({
    name: 'The bus',
    command: 'dbus-daemon',
    args: [`--config-file=${configuration}`, '--nofork', '--nosyslog', '--print-address'],
    env: { PATH: process.env['PATH'], HOME: home },
  })
  const [address] = await bus.match(/unix:path=\S+/, 30_000)
  const environment = { HOME: home, XDG_RUNTIME_DIR: home, DBUS_SESSION_BUS_ADDRESS: address }
  const serve = (...more: readonly string[]) =>
    startProgram({
      name: 'The Secret Service',
      command: 'gnome-keyring-daemon',
      args: ['--foreground', '--components=secrets', `--control-directory=${home}`, ...more],
      env: { PATH: process.env['PATH'], ...environment },
      input: 'the password of a session',
    })
  let service = serve('--unlock')
  const keyring = createSystemKeyring({ environment })
  const leave = async () => {
    await service.stop()
    await bus.stop()
  }
  await untilItKeeps(keyring)
  return {
    environment,
    keyring,
    leave,
    async lock() {
      await service.stop()
      service = serve()
    },
    async [Symbol.asyncDispose]() {
      await leave()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Waits in vain no longer than the test's own time limit. */
async function untilItKeeps(keyring: SystemKeyring): Promise<void> {
  for (let isThere = false; !isThere;) {
    isThere = await keyring.put('probe', PROBE).then(
      () => true,
      () => false,
    )
  }
  await keyring.remove('probe')
}

const PROBE = secret('probe')

function busConfiguration(home: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${home}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`
}
