import { request, type IncomingMessage } from 'node:http'
import { socketPathOf } from '../../packages/gateway/src/base/socket-path.ts'

export interface AdminAnswer {
  readonly status: number
  /** The JSON of the answer, its text where it is none, or `undefined` where there is nothing. */
  readonly body: unknown
}

/** Speaks to the admin API of the gate that runs on a data directory, as its owner, about one tenant. */
export function createAdminClient(dataDir: string, tenant = 'default') {
  const socketPath = socketPathOf(dataDir)

  async function admin(method: string, path: string, body?: object): Promise<AdminAnswer> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const about = { Host: 'localhost', 'Sekisho-Tenant': tenant }
    const headers = { ...about, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ socketPath, method, path, headers }, resolve).on('error', reject).end(text)
    })
    const chunks: Buffer[] = await answer.toArray()
    return { status: answer.statusCode ?? 0, body: readBody(Buffer.concat(chunks).toString()) }
  }

  async function require(method: string, path: string, body: object): Promise<unknown> {
    const answer = await admin(method, path, body)
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  return {
    admin,
    async addUser(name: string, { role = 'member', scopes = ['mcp'] }: NewUser = {}) {
      const user = await require('POST', '/admin/api/users', { name, role })
      const key = await require('POST', '/admin/api/keys', { user: name, scopes })
      return { id: textAt(user, 'id'), key: textAt(key, 'key') }
    },
    /** Adds a user without a key, and answers with the link that lets them choose a password. */
    async inviteUser(name: string, role = 'member'): Promise<string> {
      await require('POST', '/admin/api/users', { name, role })
      return textAt(await require('POST', `/admin/api/users/${name}/invitation`, {}), 'url')
    },
    async setToken(user: string, server: string, token: string) {
      await require('PUT', `/admin/api/tokens/${server}`, { user, token })
    },
  }
}

interface NewUser {
  readonly role?: string
  readonly scopes?: readonly string[]
}

function readBody(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Reads a member of an answer that must hold a text there. */
export function textAt(body: unknown, name: string): string {
  const value = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  if (typeof value === 'string') return value
  throw new Error(`the answer has no text at ${name}: ${JSON.stringify(body)}`)
}
