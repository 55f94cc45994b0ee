import type { Audit } from '../../src/audit/append.ts'
import { systemRandom } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { createConnectionStore, type Made } from '../../src/providers/connection-store.ts'
import { createConnections } from '../../src/providers/connections.ts'
import type { Holder } from '../../src/providers/credential.ts'
import { createFetches } from '../../src/providers/fetches.ts'
import { boundTo } from '../../src/providers/party.ts'
import type { Storage } from '../../src/storage/database.ts'
import { createGateSecrets } from '../../src/vault/gate-secrets.ts'
import type { Keyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import type { Vault } from '../../src/vault/vault.ts'
import { providerAt } from '../providers/scene.ts'
import { startScripted } from '../providers/scripted-server.ts'
import { quiet, type createTestClock } from '../stores/databases.ts'

/** What must be in no answer. */
export const connectedTokens = ['access-token-of-a-test', 'refresh-token-of-a-test'] as const
const [ACCESS, REFRESH] = connectedTokens

export interface ConnectedNeeds {
  readonly storage: Storage
  readonly vault: Vault
  readonly keyring: Keyring
  readonly clock: ReturnType<typeof createTestClock>
  readonly audit: Audit
}

/** The real connections, to a provider that takes back every token it is asked to; and one that takes none. */
export async function openConnected({ storage, vault, keyring, clock, audit }: ConnectedNeeds) {
  const provider = await startScripted()
  provider.on('/revoke', () => ({ body: {} }))
  const sealer = createSealer({ keyring })
  const providers = {
    mal: providerAt(provider, { id: 'mal', name: 'MyAnimeList', revocation: undefined }),
    tracker: providerAt(provider, { id: 'tracker', name: 'Tracker' }),
  }
  const settings = { publicUrl: 'http://localhost:7354', providers, servers: [], outbound: { allowedHosts: [] } }
  const fetches = createFetches(settings, [])
  const connections = await createConnections({
    storage,
    vault,
    sealer,
    gateSecrets: createGateSecrets({ storage, sealer, tenant: DEFAULT_TENANT }),
    clock,
    random: systemRandom,
    log: quiet,
    audit,
    fetchFor: fetches.fetchFor,
    settings,
    onOperation: () => {},
  })
  const store = createConnectionStore({ storage, vault, clock })

  return {
    connections,
    /** What the provider was asked to take back. */
    revoked: () => provider.seenAt('/revoke').map(({ form }) => form['token']),
    /** Connects an account, as if its user had come back from the provider. */
    connect: (holder: Holder, id: string) => store.replace(holder, id, madeAt(clock.now(), boundTo(providers.tracker))),
    /** As if the provider had refused to renew it. */
    async reject(holder: Holder, id: string): Promise<void> {
      const kept = await store.find(holder, id)
      if (kept) await store.note(kept, 'invalid_grant', true)
    },
    async [Symbol.asyncDispose]() {
      await connections.close()
      await fetches.close()
      await provider[Symbol.asyncDispose]()
    },
  }
}

function madeAt(now: number, bound: string): Made {
  return {
    credential: {
      accessToken: secret(ACCESS),
      refreshToken: secret(REFRESH),
      tokenType: 'Bearer',
      scopes: undefined,
      obtainedAt: now,
      expiresAt: now + 86_400_000,
      boundTo: bound,
      clientId: 'client-1',
      resource: undefined,
    },
    account: 'mika',
    scopes: ['read'],
    issuer: undefined,
  }
}
