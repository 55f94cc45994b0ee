import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { parseAddress } from './addresses.ts'
import { createNamedSet, rateKeyOf } from './client-address.ts'

export interface ConnectionSettings {
  readonly connections: number
  readonly connectionsPerAddress: number
}

export interface ConnectionNeeds extends ConnectionSettings {
  /** Whether a connection is that of a proxy, which brings many clients. */
  isShared(socket: Socket): boolean
  /** Told of each that is taken. */
  onOpened(socket: Socket): void
  /** Told of each that is refused, by the setting that was reached. */
  onRefused(limit: string): void
}

/** Ends each connection that is one too many, in all or from its address (an IPv6 network of /64 is one). */
export function limitConnections(server: Server, needs: ConnectionNeeds): { readonly open: () => number } {
  const { connections, connectionsPerAddress, isShared, onOpened, onRefused } = needs
  const byAddress = new Map<string, number>()
  let open = 0

  server.on('connection', (socket: Socket) => {
    const address = isShared(socket) ? undefined : rateKeyOf(socket.remoteAddress ?? '')
    const others = address === undefined ? 0 : (byAddress.get(address) ?? 0)
    const limit =
      open >= connections ? 'connections' : others >= connectionsPerAddress ? 'connectionsPerAddress' : undefined
    if (limit !== undefined) {
      onRefused(`limits.${limit}`)
      return void socket.destroy()
    }
    open++
    onOpened(socket)
    if (address !== undefined) byAddress.set(address, others + 1)
    socket.once('close', () => {
      open--
      if (address === undefined) return
      const left = (byAddress.get(address) ?? 1) - 1
      if (left === 0) byAddress.delete(address)
      else byAddress.set(address, left)
    })
  })
  return { open: () => open }
}

/**
 * Knows the connections of trusted proxies, as `trustProxy` names them. One that comes by IPv4 to a gate that listens on
 * both families has its address mapped into IPv6.
 */
export function createProxies(trusted: readonly string[]): (socket: Socket) => boolean {
  if (trusted.length === 0) return () => false
  const proxies = createNamedSet(trusted)
  return ({ remoteAddress }) => proxies.has(parseAddress(remoteAddress ?? '') ?? '')
}
