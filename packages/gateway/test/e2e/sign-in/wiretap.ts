import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands before a server and keeps every byte that goes to it and comes from it. */
export interface Wiretap extends AsyncDisposable {
  readonly url: string
  /** What was sent to the server, in the order it came. */
  sent(): string
  /** What the server answered. */
  answered(): string
}

export async function openWiretap(target: string): Promise<Wiretap> {
  const { hostname, port } = new URL(target)
  const [sent, answered]: [Buffer[], Buffer[]] = [[], []]
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    near.on('data', (bytes) => void sent.push(bytes)).pipe(far)
    far.on('data', (bytes) => void answered.push(bytes)).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => Buffer.concat(sent).toString('latin1'),
    answered: () => Buffer.concat(answered).toString('latin1'),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
