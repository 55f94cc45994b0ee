import { request as requestHttp, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { dataDirectoryOf } from '../base/data-directory.ts'
import { Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { requireOwnSocket, socketPathOf } from '../base/socket-path.ts'
import type { World } from './world.ts'

/** One request to the admin API. */
export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query, encoded. */
  readonly path: string
  /** JSON. */
  readonly body: string | undefined
}

export interface Reply {
  readonly status: number
  readonly text: string
}

/** A way to the gate. */
export type Door = (ask: Ask) => Promise<Reply>

const TIMEOUT_MS = 30_000

/** How the gate is called that has no address. */
export const HERE = 'this data directory'

/**
 * The door of the operator: the socket in the data directory, which needs no key. It opens every tenant; without a name
 * the first.
 *
 * @throws {Problem} `gate.not_running`, `gate.socket_closed`, `gate.socket_unsafe`, `gate.unreachable`
 */
export function openSocket({ environment }: Pick<World, 'environment'>, tenant?: string): Door {
  const directory = dataDirectoryOf(environment)
  const socketPath = socketPathOf(directory)
  const headers = tenant === undefined ? {} : { 'Sekisho-Tenant': encodeURIComponent(tenant) }
  return async (ask) => {
    try {
      requireOwnSocket(socketPath)
      return await send(ask, { socketPath, host: 'localhost', headers }, requestHttp)
    } catch (error) {
      const code = codeOf(error)
      if (NOBODY.has(code)) throw problem('gate.not_running', { directory, cause: error })
      if (FOREIGN.has(code)) throw problem('gate.socket_closed', { directory, cause: error })
      throw error instanceof Problem ? error : unreachable(HERE, code, error)
    }
  }
}

/** No such socket; a socket that a killed gate left behind. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED'])
/** The gate of another user. */
const FOREIGN = new Set(['EACCES', 'EPERM'])

/**
 * The door of everybody else: the gate's address, and an API key.
 *
 * @throws {Problem} `gate.unreachable`
 */
export function openAddress(address: string, key: Secret): Door {
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol)) throw unreachable(address, 'not an http or https address')
  const { port, protocol, origin } = url
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const request = protocol === 'https:' ? requestHttps : requestHttp
  return async (ask) => {
    try {
      return await send(ask, { hostname, port, headers: { Authorization: `Bearer ${key.reveal()}` } }, request)
    } catch (error) {
      throw unreachable(origin, codeOf(error), error)
    }
  }
}

export function unreachable(url: string, reason: string, cause?: unknown): Problem {
  return problem('gate.unreachable', { url, reason, cause })
}

/** Redirects are not followed: the key is for the address that was named. */
function send({ method, path, body }: Ask, to: RequestOptions, request: typeof requestHttp): Promise<Reply> {
  const options = { ...to, method, path, signal: AbortSignal.timeout(TIMEOUT_MS) }
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer) => {
      const status = answer.statusCode ?? 0
      answer.toArray().then((chunks: Buffer[]) => resolve({ status, text: Buffer.concat(chunks).toString() }), reject)
    })
    sent.on('error', reject)
    if (body !== undefined) sent.setHeader('Content-Type', 'application/json')
    sent.end(body)
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
