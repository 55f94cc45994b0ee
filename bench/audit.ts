import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArguments } from '../scripts/lib/arguments.ts'
import { createAudit } from '../packages/gateway/src/audit/append.ts'
import { systemClock } from '../packages/gateway/src/base/clock.ts'
import type { UserId } from '../packages/gateway/src/base/ids.ts'
import type { Log } from '../packages/gateway/src/base/log.ts'
import { DEFAULT_TENANT } from '../packages/gateway/src/identity/tenants.ts'
import { openStorage } from '../packages/gateway/src/storage/database.ts'

const ENTRIES = 100_000
const GROUPS = [1, 20, 100, 200]

const HELP = `What keeping one audit entry costs, all in: the text, the chain, the group's write and commit on SQLite.

  npm run bench:audit

It takes no options.`

readArguments(HELP, {})

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }

for (const size of GROUPS) await measure(size, size === 1 ? ENTRIES / 50 : ENTRIES)

async function measure(size: number, entries: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sekisho-bench-'))
  const storage = await openStorage({ dataDir, clock: systemClock, log: quiet })
  const audit = createAudit({ storage, clock: systemClock, log: quiet })
  await write(audit, size, Math.min(entries, 5_000))
  const before = process.cpuUsage()
  await write(audit, size, entries)
  const { user, system } = process.cpuUsage(before)
  await audit.close()
  await storage.close()
  rmSync(dataDir, { recursive: true })
  console.log(`bench audit groups of ${size}: ${((user + system) / entries).toFixed(1)} µs of CPU per entry`)
}

async function write(audit: ReturnType<typeof createAudit>, size: number, entries: number): Promise<void> {
  for (let done = 0; done < entries; done += size) {
    for (let index = 0; index < size; index++) record(audit, done + index)
    await audit.flush()
  }
}

function record(audit: ReturnType<typeof createAudit>, index: number): void {
  void audit.record(DEFAULT_TENANT, {
    kind: 'tool.call',
    userId: 'usr_01k000000000000000000000' as UserId,
    requestId: `k3v9xq2m-${index.toString(36)}`,
    server: 'github',
    tool: 'create_issue',
    outcome: 'ok',
    ms: 12,
    era: '2026-07-28',
    service: 'github',
    key: 'key_01k000000000000000000000',
  })
}
