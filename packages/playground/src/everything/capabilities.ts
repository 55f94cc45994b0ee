import { CLIENT_CAPABILITIES_META_KEY, type ClientCapabilities, type ServerContext } from '@modelcontextprotocol/server'

/** What the client of a 2026-07-28 request declared with it; the SDK has checked its shape and left out its type. */
export function declaredWith({ mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope: Envelope | undefined = mcpReq.envelope
  return envelope?.[CLIENT_CAPABILITIES_META_KEY]
}

interface Envelope {
  readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities
}
