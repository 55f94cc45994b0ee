import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { Problem } from '../../src/base/problem.ts'
import { createGuardedFetch, type GuardedFetchSettings } from '../../src/http/guarded-fetch.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

export async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => void sockets.add(socket))
  await once(server.listen(port, host), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A server of the outside world, which keeps what it was asked. */
export async function openServer(
  handler: Handler = (_request, response) => response.end('here'),
  host?: string,
  port?: number,
) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    handler(request, response)
  })
  return { port: await listen(server, host, port), seen }
}

/** A guarded fetch which knows no names but those it is given; names without an answer are not found. */
export function guard(
  settings: Partial<GuardedFetchSettings> = {},
  names: Readonly<Record<string, readonly string[]>> = {},
) {
  const asked: string[] = []
  const lookup = async (hostname: string) => {
    asked.push(hostname)
    const found = names[hostname]
    if (!found) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
    return found
  }
  const guarded = createGuardedFetch({ allowedHosts: [], lookup, ...settings })
  onTestFinished(() => guarded.close())
  return { ...guarded, asked }
}

export async function failure(
  work: Promise<unknown>,
): Promise<{ code: string; details: Readonly<Record<string, unknown>> }> {
  const error: unknown = await work.then(
    () => expect.unreachable('it was answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof Problem)) throw error
  return { code: error.code, details: error.details }
}

/** Settings for a server on this machine, as an operator would name it. */
export const allow = (port: number) => ({ allowedHosts: [`127.0.0.1:${port}`] })
