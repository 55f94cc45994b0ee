import { definitionKeys, ProviderDefinition } from '../config/provider-schema.ts'
import githubApp from './definitions/github-app.json' with { type: 'json' }
import githubOAuthApp from './definitions/github-oauth-app.json' with { type: 'json' }
import myanimelist from './definitions/myanimelist.json' with { type: 'json' }

/** The providers that come with the gate, by id. One more is one more file, and its line here. */
export const shippedDefinitions: Readonly<Record<string, ProviderDefinition>> = Object.fromEntries(
  [myanimelist, githubOAuthApp, githubApp].map((raw) => {
    const definition = ProviderDefinition.parse(raw)
    return [definition.id, definition]
  }),
)

/** What the reference page of the providers says: each key of a definition, and each that comes with the gate. */
export function describeProviders() {
  return { keys: definitionKeys, definitions: Object.values(shippedDefinitions) }
}
