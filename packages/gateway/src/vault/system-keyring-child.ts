import { text } from 'node:stream/consumers'
import type { Answered, Asked } from './system-keyring.ts'

/**
 * A process that asks the keyring of the system one thing, and ends: what it is asked comes on standard input, what the
 * keyring holds goes to standard output, both as JSON, so that neither is in an argument or the environment.
 */
async function answer({ does, service, account, value = '' }: Asked): Promise<Answered> {
  // An optional package: where there is none for this system, that is the answer.
  const { Entry } = await import('@napi-rs/keyring')
  // Without it, a Linux without a Secret Service would keep the secret in the kernel, until the next restart.
  const entry = new Entry(service, account, { linux: { store: 'secret-service' } })
  if (does === 'put') entry.setPassword(value)
  if (does === 'remove') entry.deletePassword()
  return { value: does === 'find' ? entry.getPassword() : null }
}

const asked: Asked = JSON.parse(await text(process.stdin))
const answered = await answer(asked).catch((error: unknown): Answered => ({ failed: String(error) }))
process.stdout.write(JSON.stringify(answered))
