import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Gate } from '../../../../scripts/lib/gate.ts'
import type { Era } from './eras.ts'
import type { Door } from './wire.ts'

const CHILD = join(import.meta.dirname, 'fixtures/child.mjs')

/** The entry of a server that is the child of `fixtures/child.mjs`. */
export function childServer(env: object = {}, more: object = {}) {
  return { command: process.execPath, args: [CHILD], env, ...more }
}

/** The reference server of npm, whose `get-env` shows what it was given. */
export function referenceServer(env: object) {
  const script = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js')
  return { command: process.execPath, args: [script], env }
}

/** A server over HTTP that is sent the user's own token as its credential. */
export function personalServer(url: string) {
  return { url, headers: { Authorization: { $userToken: 'Bearer {{token}}' } } }
}

export interface Person {
  readonly name: string
  readonly id: string
  readonly key: string
}

/** A user with a key and their own token for each of some servers: `<name>-<server>-token-0123456789`. */
export async function addPerson(gate: Gate, name: string, servers: readonly string[] = []): Promise<Person> {
  const { id, key } = await gate.addUser(name)
  for (const server of servers) await gate.setToken(name, server, tokenOf(name, server))
  return { name, id, key }
}

export function tokenOf(name: string, server: string): string {
  return `${name}-${server}-token-0123456789`
}

/** The merged address, or that of one server. */
export function doorOf(
  gate: Pick<Gate, 'url'>,
  { key }: Pick<Person, 'key'>,
  era: Era = 'modern',
  server?: string,
): Door {
  return { url: `${gate.url}/mcp${server === undefined ? '' : `/${server}`}`, key, era }
}

/** Where the admin API is, and with which key it is asked. */
interface Office {
  readonly url: string
  readonly key: string
}

/** Asks the admin API over the network. */
export async function adminWith({ url, key }: Office, method: string, path: string, body?: object) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
  const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: answer.status, text: await answer.text() }
}

/** The environment a process was started with. */
export function environmentOf(pid: number): Map<string, string> {
  const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

/** Whether a process runs; one that only waits to be collected does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

/** Every file of a directory with its bytes; sockets are left out. */
export function filesOf(directory: string): Map<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name))
  return new Map(paths.map((path) => [path, readFileSync(path)]))
}

/** Waits until something is so; a test that waits in vain ends by its own time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
