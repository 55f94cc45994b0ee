/**
 * Whether a GET opens a stream of the session's own; in the revision before, it opened another transport.
 *
 * @see MCP 2025-03-26, basic/transports#listening-for-messages-from-the-server
 */
export function hasOwnStream(version: string): boolean {
  return version >= '2025-03-26'
}

/**
 * Whether a stream begins with an event that has an id and no data, from which on it can be resumed. Clients of the
 * revisions before would take the empty data for a message.
 *
 * @see MCP 2025-11-25, basic/transports#sending-messages-to-the-server
 */
export function isPrimed(version: string): boolean {
  return version >= '2025-11-25'
}
