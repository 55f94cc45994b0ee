import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminClient } from '../scripts/lib/admin.ts'
import { signInClient } from '../scripts/lib/oauth-client.ts'
import { acceptInvitation } from '../scripts/lib/people.ts'

/**
 * Run by the harness beside a gate that starts: adds the user whose calls are measured, signs a client of
 * theirs in, and prints the variables that the target's headers name.
 */
const [dataDir = '', url = ''] = process.argv.slice(2)
const READY_MS = 30_000
const REDIRECT = 'http://127.0.0.1:6792/callback'

await waitUntilReady()
const { inviteUser, setToken } = createAdminClient(dataDir)
const browser = await acceptInvitation(await inviteUser('bench'), { stopAt: ({ href }) => href.startsWith(REDIRECT) })
await setToken('bench', 'up', 'upstream-credential')
const resource = `http://localhost:${new URL(url).port}/mcp`
const client = await signInClient(resource, browser, { redirectUrl: REDIRECT })
console.log(`GATE_KEY=${client.held()?.access_token ?? ''}`)

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
