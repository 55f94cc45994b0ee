import { createAudit } from './audit/append.ts'
import { createRecent } from './audit/recent.ts'
import { createWatch } from './audit/watch.ts'
import { createRequestIds } from './base/ids.ts'
import type { Config } from './config/config.ts'
import { DEFAULT_TENANT } from './identity/tenants.ts'
import { openStorage } from './storage/database.ts'
import { openAnnouncements } from './storage/shared/announcements.ts'
import { openShared } from './storage/shared/open.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createFailureNote } from './telemetry/observe.ts'
import { createGateSecrets } from './vault/gate-secrets.ts'
import { openKeyring } from './vault/keyring.ts'
import { createSealer } from './vault/sealer.ts'
import { createVault } from './vault/vault.ts'
import type { World } from './world.ts'

/** Opens what outlives a restart, and the record of what happens. */
export async function openKept(config: Config, world: World) {
  const { clock, random, log, schema } = world
  const { dataDirectory: dataDir, databaseUrl, redisUrl } = config
  const storage = await openStorage({ dataDir, databaseUrl, schema, clock, log })
  const shared = await openShared({ redisUrl, databaseUrl, schema, clock, log, random }).catch(
    async (error: unknown) => {
      await storage.close()
      throw error
    },
  )
  try {
    const announcements = await openAnnouncements({ ...shared, log })
    const keyring = await openKeyring({ ...world, storage, dataDir })
    const sealer = createSealer({ keyring, random })
    const gateSecrets = createGateSecrets({ storage, sealer, tenant: DEFAULT_TENANT, random })
    const vault = createVault({ storage, keyring, clock, log, random })
    const audit = createAudit({ storage, clock, log, synchronous: config.audit.synchronous })
    const metrics = createMetrics()
    const recent = createRecent({ storage })
    const onOdd = (what: string) => metrics.sekisho_odd_total.inc({ what })
    const newRequestId = createRequestIds(random)
    const noteFailure = createFailureNote({ log, metrics })
    return {
      storage,
      shared,
      announcements,
      keyring,
      sealer,
      gateSecrets,
      vault,
      audit,
      recent,
      watch: createWatch({ audit, recent, clock, onOdd }),
      metrics,
      newRequestId,
      noteFailure,
    }
  } catch (error) {
    await shared.close()
    await storage.close()
    throw error
  }
}
export type Kept = Awaited<ReturnType<typeof openKept>>
