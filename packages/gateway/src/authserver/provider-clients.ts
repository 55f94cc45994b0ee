import type Provider from 'oidc-provider'
import type { Client } from 'oidc-provider'

/** The client of an id; `undefined` where there is none, as for a metadata document that has gone since. */
export async function findClient(provider: Provider, clientId: string): Promise<Client | undefined> {
  try {
    return await provider.Client.find(clientId)
  } catch {
    return undefined
  }
}
