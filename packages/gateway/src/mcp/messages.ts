import { isRecord } from '../base/json-rpc.ts'
import { isWanted, type LogLevel } from '../upstreams/client.ts'

/** Whether a client that wants messages from `least` on shall see this one, a whole `notifications/message`. */
export function isWantedMessage(message: Buffer, least: LogLevel | undefined): boolean {
  if (least === undefined) return false
  try {
    const { params }: { params?: unknown } = JSON.parse(message.toString())
    return isWanted(isRecord(params) ? params['level'] : undefined, least)
  } catch {
    return false
  }
}

/**
 * Whether a method is one of a notification. What asks for something and has no id would be done by some servers all the
 * same, uncounted and unrecorded; what only tells and has one would name requests by ids that are not its sender's.
 *
 * @see MCP 2026-07-28, basic/index#messages
 */
export function isNews(method: string): boolean {
  return method.startsWith('notifications/')
}
