import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/**
 * Keeps the latest messages of one session, so that a client whose stream broke can ask for the rest with
 * `Last-Event-ID`. Event ids are `<stream>_<number>`: an id says by itself which stream it belongs to.
 */
export function createEventStore({ limit = 200 }: { limit?: number } = {}): EventStore {
  const events = new Map<string, JSONRPCMessage>()
  let last = 0

  return {
    async storeEvent(streamId, message) {
      last += 1
      const eventId = `${streamId}_${last}`
      events.set(eventId, message)
      const [oldest] = events.keys()
      if (events.size > limit && oldest !== undefined) events.delete(oldest)
      return eventId
    },
    async getStreamIdForEventId(eventId) {
      return streamOf(eventId)
    },
    async replayEventsAfter(lastEventId, { send }) {
      const streamId = streamOf(lastEventId)
      for (const [eventId, message] of events) {
        // A priming event is stored as an empty message: it marks a place and says nothing.
        if (streamOf(eventId) !== streamId || numberOf(eventId) <= numberOf(lastEventId) || !('jsonrpc' in message))
          continue
        await send(eventId, message)
      }
      return streamId
    },
  }
}

const streamOf = (eventId: string): string => eventId.slice(0, eventId.lastIndexOf('_'))
const numberOf = (eventId: string): number => Number(eventId.slice(eventId.lastIndexOf('_') + 1))
