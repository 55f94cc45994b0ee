import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a server that can be cut, as when that is restarted, or fall silent, as when a network does. */
export async function openBreakable({ hostname, port }: URL, usualPort: number) {
  const sockets = new Set<Socket>()
  let silent = false
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port || usualPort) })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => (silent ? undefined : to.write(chunk)))
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as { port: number }
  onTestFinished(() => void (cut(), server.close()))

  function cut(): void {
    for (const socket of sockets) socket.destroy()
  }

  return {
    port: own,
    /** Ends the connections there are; new ones are taken. */
    cut,
    async goAway(): Promise<void> {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
    async comeBack(): Promise<void> {
      silent = false
      if (!server.listening) {
        server.listen(own, '127.0.0.1')
        await once(server, 'listening')
      }
    },
    fallSilent(): void {
      silent = true
    },
  }
}
