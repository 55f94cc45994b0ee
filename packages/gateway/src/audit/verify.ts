import { z } from 'zod'
import type { TenantId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'
import { genesis, link, type Head } from './chain.ts'

export type Verdict =
  | { readonly whole: true; readonly entries: number }
  /** `seq` is the first entry that is missing or is not what was written. */
  | { readonly whole: false; readonly seq: number }

const PAGE = 1_000

/**
 * Walks a tenant's chain from its beginning. Finds any entry that was changed, inserted, moved or taken out
 * before the last; that the newest entries were cut off, only a copy of a later hash can show.
 */
export async function verifyChain(storage: Storage, tenant: TenantId): Promise<Verdict> {
  let head = genesis(tenant)
  for (;;) {
    const rows = await readPage(storage, tenant, head.seq)
    for (const row of rows) {
      const expected = link(head, row.entry)
      if (!isRow(row, expected)) return { whole: false, seq: expected.seq }
      head = expected
    }
    if (rows.length < PAGE) return { whole: true, entries: head.seq }
  }
}

function readPage(storage: Storage, tenant: TenantId, after: number) {
  return storage
    .for(tenant)
    .selectFrom('audit')
    .select(['seq', 'at', 'user_id', 'kind', 'entry', 'hash'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(PAGE)
    .execute()
}
type AuditRow = Awaited<ReturnType<typeof readPage>>[number]

const Entry = z.object({ at: z.number(), kind: z.string(), user: z.string().optional() })

/** The columns repeat what the entry says, for queries; they are not hashed, so they are compared. */
function isRow(row: AuditRow, expected: Head): boolean {
  if (row.seq !== expected.seq || row.hash !== expected.hash) return false
  const entry = Entry.parse(JSON.parse(row.entry))
  return entry.at === row.at && entry.kind === row.kind && (entry.user ?? null) === row.user_id
}
