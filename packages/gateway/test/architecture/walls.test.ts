import { expect, test } from 'vitest'
import { scan } from './imports.ts'
import { walls } from './walls.ts'

const finds = (what: string, source: string) =>
  walls.filter((wall) => wall.what === what && wall.find(scan(source)).length > 0).length > 0

test.for([
  `import { Pool } from 'undici'`,
  `import { request } from 'node:http'`,
  `import https from 'node:https'`,
  `import * as net from 'node:net'`,
  `import { connect as dial } from 'node:tls'`,
  `const net = await import('node:net')`,
  `export const get = () => fetch('https://example.com')`,
  `export const get = globalThis.fetch`,
  `createClient({ fetch })`,
])('opens a connection to the world: %s', (source) => {
  expect(finds('a connection to the world', source)).toBe(true)
})

test.for([
  `import { createServer, type IncomingMessage } from 'node:http'`,
  `import type { Pool } from 'undici'`,
  `import { isIP } from 'node:net'`,
  `const answer = await app.fetch(request)`,
  `return { handle, fetch(request) { return app.fetch(request) } }`,
  `export function serve({ fetch }: { fetch: (request: Request) => Promise<Response> }) { return fetch(new Request('x')) }`,
  `// fetch('https://example.com')`,
])('opens none: %s', (source) => {
  expect(finds('a connection to the world', source)).toBe(false)
})

test('a revision in a comment or in the name of a module tells nobody anything', () => {
  expect(finds('a protocol revision', `import { modern } from './eras/2026-07-28.ts' // since 2026-07-28`)).toBe(false)
  expect(finds('a protocol revision', 'const version = `${"2026-07-28"}`')).toBe(true)
})

test('a driver is a driver whichever of its modules is imported, types too', () => {
  expect(finds('a database driver', `import type { Pool } from 'pg'`)).toBe(true)
  expect(finds('a database driver', `const { Database } = await import('better-sqlite3')`)).toBe(true)
  expect(finds('a database driver', `import { page } from './pg.ts'`)).toBe(false)
})
