/** Least severe first. @see RFC 5424 §6.2.1, as MCP 2025-11-25 server/utilities/logging takes it over */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What an upstream is told of the client that the gate asks for. */
export interface ClientView {
  /**
   * The capabilities it declared and the gate can carry, as the JSON text of an object: the same text for the same
   * set, so that it tells two kinds of client apart. `{}` for one that can do nothing but wait.
   */
  readonly capabilities: string
  /** Its session, where it is in one: what an upstream keeps for a session is kept apart by it. */
  readonly session: string | undefined
  /** The least severe log messages it wants to see; `undefined` for none. */
  readonly logLevel: LogLevel | undefined
}

/** A client of which nothing is known, such as the gate itself. */
export const PLAIN_CLIENT: ClientView = { capabilities: '{}', session: undefined, logLevel: undefined }

/** Whether messages of a level are wanted by somebody who wants `least`. What is no level is shown to who wants any. */
export function isWanted(level: unknown, least: LogLevel | undefined): boolean {
  if (least === undefined) return false
  const at = LOG_LEVELS.findIndex((known) => known === level)
  return at < 0 || at >= LOG_LEVELS.indexOf(least)
}

/** The one that lets more through. */
export function leastSevere(a: LogLevel | undefined, b: LogLevel | undefined): LogLevel | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return LOG_LEVELS.indexOf(a) < LOG_LEVELS.indexOf(b) ? a : b
}
