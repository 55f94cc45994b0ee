#!/usr/bin/env node
import './small.ts'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createNetwork } from '#kit/network'
import { fixed } from './auth/credentials.ts'
import { createEnvironmentCredentials, parseEnvironment, settingsOf, type Environment } from './auth/environment.ts'
import { createMalHandler } from './handler.ts'
import { serveHttp } from './http.ts'
import { createMalServer, version } from './server.ts'
import { createMal } from './settings.ts'
import { createExports } from './storage/exports.ts'
import { isOffered } from './tools/offer.ts'
import { tools } from './tools/table.ts'
import { toolsets } from './tools/tool.ts'

const HELP = `sekisho-mal ${version}: MyAnimeList as an MCP server.

Usage: sekisho-mal [--http]

  (no option)   serve one client over stdio
  --http        serve stateless Streamable HTTP on http://HOST:PORT/mcp
  --help        show this text
  --version     show the version

Environment:
  MAL_REFRESH_TOKEN, MAL_CLIENT_ID, MAL_CLIENT_SECRET   an account that renews its own access token
  MAL_ACCESS_TOKEN                                      a token that lasts about a month
  MAL_TOOLSETS (core)                                   ${toolsets.join(', ')}, or all
  MAL_READ_ONLY (false)                                 leaves out every tool that changes something
  MAL_REQUESTS_PER_SECOND (1), MAL_REQUESTS_PER_HOUR (3000), MAL_REQUESTS_PER_DAY (20000)
                                                        what one account may send to MyAnimeList
  MAL_MAX_ENTRIES (20000)                               no more entries of one list are read
  MAL_LIST_CACHE_SECONDS (300)                          how long a list is answered without asking again
  MAL_DATA_DIR                                          a folder for plans, for what undoes them, and over
                                                        stdio for exported lists
  MAL_METRICS (false)                                   shows what is counted at /metrics, with --http
  PORT (8000), HOST (127.0.0.1)                         where --http listens
  ALLOWED_HOSTS                                         further host names for --http, separated by commas;
                                                        * is any

With --http the Authorization header of a request goes before all of these tokens.
`

/** Standard output belongs to MCP; everything for people goes to standard error. */
const say = (line: string) => void process.stderr.write(`sekisho-mal: ${line}\n`)
const onerror = (error: Error) => say(error.message)

main()

function main(): void {
  const options = readOptions()
  if (options === undefined) return
  if (options.help) return void process.stdout.write(HELP)
  if (options.version) return void process.stdout.write(`${version}\n`)

  const parsed = parseEnvironment(process.env)
  if (!parsed.ok) {
    for (const line of parsed.problems) say(line)
    process.exitCode = 2
  } else if (options.http) {
    sayWhatIsOff(parsed.environment)
    void startHttp(parsed.environment).catch(stop)
  } else {
    sayWhatIsOff(parsed.environment)
    startStdio(parsed.environment)
  }
}

/** What is off is said before anybody calls it. */
function sayWhatIsOff({ MAL_DATA_DIR: folder, MAL_TOOLSETS: offered, MAL_READ_ONLY: readOnly }: Environment): void {
  const off = tools.filter((tool) => tool.needsStorage && isOffered(tool, { toolsets: offered, readOnly }))
  if (folder !== undefined || off.length === 0) return
  say(`MAL_DATA_DIR is not set, so that nothing is kept between calls. Off: ${off.map(({ name }) => name).join(', ')}`)
}

function startStdio(environment: Environment): void {
  const network = createNetwork()
  const folder = environment.MAL_DATA_DIR
  const mal = createMal({
    ...settingsOf(environment),
    // Over stdio the folder is on the machine of the one person who calls.
    ...(folder !== undefined && { exports: createExports(join(folder, 'exports')) }),
    fetch: network.fetch,
    onerror,
  })
  const credentials = createEnvironmentCredentials(environment, network.fetch) ?? fixed(undefined)
  const server = serveStdio(() => createMalServer(mal, { credentials, owner: '' }), { onerror })

  const close = () => void Promise.all([server.close(), network.close()])
  process.stdin.once('end', close)
  onSignal(close)
}

async function startHttp(environment: Environment): Promise<void> {
  const network = createNetwork()
  const credentials = createEnvironmentCredentials(environment, network.fetch)
  const handler = createMalHandler({
    ...settingsOf(environment),
    fetch: network.fetch,
    onerror,
    ...(credentials && { credentials }),
  })
  const { PORT: port, HOST: host, ALLOWED_HOSTS: allowedHosts, MAL_METRICS: metrics } = environment
  const server = await serveHttp(handler, { port, host, allowedHosts, metrics })
  if (credentials) {
    say(
      'WARNING: the tokens of the environment are ONE shared account. Everybody who reaches this server without an ' +
        'Authorization header of their own reads that account.',
    )
  }
  say(`listening on ${server.url}`)
  onSignal(() => void server.close().then(handler.close).then(network.close).catch(stop))
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { http: { type: 'boolean' }, help: { type: 'boolean' }, version: { type: 'boolean' } },
    })
    return values
  } catch (error) {
    stop(error)
    return undefined
  }
}

function onSignal(close: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close)
}

function stop(error: unknown): void {
  say(`${error instanceof Error ? error.message : String(error)} (--help shows the options)`)
  process.exitCode = 2
}
