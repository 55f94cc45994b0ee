import { first } from './0001-first.ts'
import { signIn } from './0002-sign-in.ts'
import { protocol } from './0003-protocol.ts'
import { factors } from './0004-factors.ts'
import { federated } from './0005-federated.ts'
import { agents } from './0006-agents.ts'
import { places } from './0007-places.ts'
import { builtinDocuments } from './0008-builtin-documents.ts'
import { readOnly } from './0009-read-only.ts'
import { leases } from './0010-leases.ts'
import type { Migration } from './migration.ts'

/** Every migration, in the order they run. Listed, not read from a folder, so that a bundle holds them. */
export const migrations: readonly Migration[] = [
  first,
  signIn,
  protocol,
  factors,
  federated,
  agents,
  places,
  builtinDocuments,
  readOnly,
  leases,
]
