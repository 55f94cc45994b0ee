export type Take = (payload: Buffer) => void

export interface Topics {
  add(topic: string, take: Take): () => void
  /** Hands a message to all who hear the topic; one who takes it badly keeps it from nobody. */
  deliver(topic: string, payload: Buffer): void
  has(topic: string): boolean
  names(): string[]
  clear(): void
}

export interface TopicChanges {
  /** Told when nobody hears a topic any more. */
  emptied?(topic: string): void
  /** Told what a listener threw; without it that is a fault that nothing caught. */
  failed?(error: unknown, topic: string): void
}

/** Who hears what in this process. The same function may be given twice, and is then told twice. */
export function createTopics({ emptied, failed = throwLater }: TopicChanges = {}): Topics {
  const heard = new Map<string, Set<{ readonly take: Take }>>()

  function remove(topic: string, listener: { readonly take: Take }): void {
    const listeners = heard.get(topic)
    if (!listeners?.delete(listener) || listeners.size > 0) return
    heard.delete(topic)
    emptied?.(topic)
  }

  return {
    add(topic, take) {
      const listener = { take }
      const listeners = heard.get(topic)
      if (listeners) listeners.add(listener)
      else heard.set(topic, new Set([listener]))
      return () => remove(topic, listener)
    },
    deliver(topic, payload) {
      const listeners = heard.get(topic)
      if (listeners === undefined) return
      // A copy: who begins to listen now hears what comes later.
      for (const listener of Array.from(listeners)) {
        if (!listeners.has(listener)) continue
        try {
          listener.take(payload)
        } catch (error) {
          failed(error, topic)
        }
      }
    },
    has: (topic) => heard.has(topic),
    names: () => [...heard.keys()],
    clear: () => heard.clear(),
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
