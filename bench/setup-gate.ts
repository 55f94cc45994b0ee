import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminClient } from '../scripts/lib/admin.ts'

/**
 * Run by the harness beside a gate that starts: adds the user whose calls are measured, and prints the
 * variables that the target's headers name.
 */
const [dataDir = '', url = ''] = process.argv.slice(2)
const READY_MS = 30_000

await waitUntilReady()
const { addUser, setToken } = createAdminClient(dataDir)
const { key } = await addUser('bench')
await setToken('bench', 'up', 'upstream-credential')
console.log(`GATE_KEY=${key}`)

async function waitUntilReady(): Promise<void> {
  const deadline = Date.now() + READY_MS
  while (!(await isReady())) {
    if (Date.now() > deadline) throw new Error(`no gate is ready at ${url}`)
    await sleep(25)
  }
}

async function isReady(): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok
  } catch {
    return false
  }
}
