import { hash } from 'node:crypto'
import { createRecent } from '../base/recent.ts'
import { PLAIN_CLIENT, type ClientView } from '../upstreams/client.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'

const KNOWN_MOST = 1_000

/**
 * Tells clients apart by what they can do, as far as an upstream is told: a server may offer less to one that cannot
 * be asked for anything. A digest for each set of capabilities, empty for none.
 */
export function createClientKeys() {
  const known = createRecent<string, string>(KNOWN_MOST)
  return ({ capabilities }: Pick<ClientView, 'capabilities'>, definition: UpstreamDefinition): string => {
    if (capabilities === PLAIN_CLIENT.capabilities || !isTold(definition)) return ''
    const found = known.get(capabilities)
    if (found !== undefined) return found
    const key = hash('sha256', capabilities, 'base64url').slice(0, KEY_LENGTH)
    known.set(capabilities, key)
    return key
  }
}

const KEY_LENGTH = 16

/** What serves all users at once is told nothing of any client's. */
function isTold(definition: UpstreamDefinition): boolean {
  return definition.kind === 'http' || (definition.kind === 'stdio' && !definition.shared)
}
