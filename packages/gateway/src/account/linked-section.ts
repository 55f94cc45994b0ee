import type { Html } from '../pages/html.ts'
import { linkedTable } from './linked-view.ts'
import type { AccountNeeds } from './needs.ts'
import type { Visit } from './visit.ts'

/**
 * What a user has linked and could link, for any page on how they sign in; `undefined` where there is neither. Its forms
 * lead away to the provider.
 */
export async function linkedSection(
  { federated }: Pick<AccountNeeds, 'federated'>,
  { person }: Visit,
): Promise<Html | undefined> {
  const linked = await federated.identities.list(person.tenant, person.userId)
  const providers = federated.providersOf(person.tenant)
  if (linked.length === 0 && providers.length === 0) return undefined
  return linkedTable({ linked, providers, csrf: person.csrf })
}
