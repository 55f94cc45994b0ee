import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { resolve } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { AdminApp, AdminCaller } from '../../src/admin/app.ts'
import { asProblem, problem, toHttpError, type Problem } from '../../src/base/problem.ts'
import { socketPathOf } from '../../src/base/socket-path.ts'
import { runCommandLine } from '../../src/cli/program.ts'
import { serveWeb } from '../../src/http/web.ts'
import { KEY_IN_FILE } from '../../../../scripts/lib/gate.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { openScene, type Scene } from '../admin/scene.ts'
import { newDirectory } from '../stores/databases.ts'

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')

export interface Run {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export interface RunOptions {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Where it is typed. */
  readonly directory?: string
}

/** Runs the command line as a process of its own, with nothing in its environment but what is named. */
export async function sekisho(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { input = '', environment = {}, directory } = options
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env['PATH'], ...KEY_IN_FILE, ...environment },
    ...(directory === undefined ? {} : { cwd: directory }),
  })
  child.stdin.on('error', () => undefined).end(input)
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, output, errors }
}

/** Runs a command line that asks no gate, in this process, which takes less time. */
export async function sekishoHere(words: readonly string[]): Promise<Run> {
  const [output, errors] = [new PassThrough(), new PassThrough()]
  const world = { environment: KEY_IN_FILE, directory: '/', input: Readable.from([]), output, errors }
  const code = await runCommandLine(words, world)
  return { code, output: await text(output.end()), errors: await text(errors.end()) }
}

/** The admin API on a socket and on a port, as the gate has it, and the command line pointed at it. */
export async function openGate() {
  const scene = await openScene()
  const { dataDir } = newDirectory()
  const answer = (whoAsks: (request: IncomingMessage) => AdminCaller | Promise<AdminCaller>) =>
    createServer((request, response) => {
      const served = serveCaller(whoAsks(request), { request, response, app: scene.app })
      served.catch((error: unknown) => fail(response, asProblem(error)))
    })
  const operator = answer(() => ({ kind: 'operator', tenant: DEFAULT_TENANT }))
  const network = answer(async (request) => ({ kind: 'principal', principal: await requirePrincipal(scene, request) }))
  const socket = socketPathOf(dataDir)
  await once(operator.listen(socket), 'listening')
  await once(network.listen(0, '127.0.0.1'), 'listening')
  chmodSync(socket, 0o600)
  const address = network.address()

  return {
    scene,
    dataDir,
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    /** Runs a command as the owner of the data directory. */
    run: (words: readonly string[], { environment, ...options }: RunOptions = {}) =>
      sekisho(words, { ...options, environment: { SEKISHO_DATA: dataDir, ...environment } }),
    async [Symbol.asyncDispose]() {
      operator.close()
      network.close()
      await scene[Symbol.asyncDispose]()
    },
  }
}

interface Served {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly app: AdminApp
}

async function serveCaller(found: AdminCaller | Promise<AdminCaller>, { request, response, app }: Served) {
  const caller = await found
  await serveWeb(request, response, { bodyLimit: 65_536, fetch: (web) => app.fetch(web, caller) })
}

async function requirePrincipal({ keys }: Scene, { headers }: IncomingMessage) {
  const principal = await keys.verify(headers.authorization?.replace(/^Bearer /, '') ?? '')
  if (principal === undefined) throw problem('auth.invalid')
  return principal
}

function fail(response: ServerResponse, failure: Problem): void {
  response
    .writeHead(failure.row.status, { 'Content-Type': 'application/json' })
    .end(JSON.stringify(toHttpError(failure)))
}
