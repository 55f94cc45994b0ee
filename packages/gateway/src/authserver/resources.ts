import { isLoopbackHost } from '../base/loopback.ts'
import type { AuthserverSettings } from './settings.ts'

/**
 * The resources that tokens are for: `/mcp`, which is every server, and `/mcp/<server>`. On a loopback `publicUrl`
 * the other names of loopback with the same port mean the same and are put into its spelling.
 *
 * @see RFC 8707 §2, MCP 2026-07-28, basic/authorization, "Canonical Server URI"
 */
export function createResources({ publicUrl, servers }: Pick<AuthserverSettings, 'publicUrl' | 'servers'>) {
  const home = new URL(publicUrl)
  const isHome = ({ protocol, hostname, port }: URL): boolean =>
    protocol === home.protocol &&
    port === home.port &&
    (hostname === home.hostname || (protocol === 'http:' && isLoopbackHost(hostname) && isLoopbackHost(home.hostname)))

  function isKnown(path: string): boolean {
    if (path === ALL) return true
    return path.startsWith(`${ALL}/`) && servers().some((server) => path === `${ALL}/${server}`)
  }

  return {
    /** What a token is for when its client did not say. */
    all: `${publicUrl}${ALL}`,

    isKnown,

    /** The spelling of `publicUrl`, where this names a resource of the gate. */
    find(identifier: string): string | undefined {
      const url = URL.parse(identifier)
      if (url === null || !isHome(url) || identifier.includes('#') || url.search !== '' || url.username !== '')
        return undefined
      const path = url.pathname.replace(/\/$/, '')
      return isKnown(path) ? `${publicUrl}${path}` : undefined
    },

    /** What a principal may enter with a token for it. */
    scopesOf(resource: string): readonly string[] {
      if (resource === `${publicUrl}${ALL}`) return ['mcp']
      const prefix = `${publicUrl}${ALL}/`
      return resource.startsWith(prefix) ? [`mcp:${resource.slice(prefix.length)}`] : []
    },

    /** The origin as the one who asks spells it, where that is an alias: clients compare it with what they asked. */
    originFor(host: string | undefined): string {
      const url = host === undefined ? null : URL.parse(`${home.protocol}//${host}`)
      return url !== null && url.pathname === '/' && isHome(url) ? url.origin : publicUrl
    },
  }
}
export type Resources = ReturnType<typeof createResources>

const ALL = '/mcp'
