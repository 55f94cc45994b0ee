import { collect, type Outlet } from './outlet.ts'

/** The answers to the messages of one array, which go out together. */
export interface Batch {
  /** Where one message of it is answered. */
  part(): Outlet
  /** Writes what came of them all; answers `false`, and writes nothing, where nothing asked for an answer. */
  end(): boolean
}

/** @see MCP 2025-03-26, basic/transports#sending-messages-to-the-server */
export function createBatch(outlet: Outlet): Batch {
  const answers: Buffer[] = []

  function take(message: string | Buffer): void {
    answers.push(typeof message === 'string' ? Buffer.from(message) : message)
  }

  return {
    part: () => ({
      notify: (message) => outlet.notify(message),
      ask: (message) => outlet.ask(message),
      keepAlive: () => outlet.keepAlive(),
      lost: (giveUp) => outlet.lost(giveUp),
      end: take,
      keepIn() {},
      answer(answer) {
        if (answer.kind === 'stream') return collect(answer).then(take)
        take(answer.bytes)
        return undefined
      },
    }),
    end() {
      if (answers.length > 0) outlet.end(`[${answers.join(',')}]`)
      return answers.length > 0
    },
  }
}
