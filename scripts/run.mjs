// Runs a TypeScript program of this repository on a machine that has nothing but Node and npm: installs what
// is missing, finds a Node that runs these programs, and is that program from then on (arguments, streams,
// signals, status). Plain JavaScript for Node 18 and later.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')

const given = process.argv.slice(2)
const at = given.findIndex((arg) => !arg.startsWith('--'))
/** Flags before the program are Node's, arguments after it its own. */
const [flags, script, rest] = [given.slice(0, at), given[at], given.slice(at + 1)]
if (!script) fail('name the program to run: node scripts/run.mjs [flags of Node] <file.ts> [arguments]')
if (isStale()) await install()
endAs(await run(findNode(), [...flags, resolve(root, script), ...rest], 'inherit'))

/** Whether packages are missing or older than the lock file. npm writes its own list last, when all are there. */
function isStale() {
  const installed = join(modules, '.package-lock.json')
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs
}

/**
 * No package needs its install script, so none is run. Development packages are asked for by name: a machine
 * set up for production would leave them out.
 */
async function install() {
  const began = Date.now()
  say('installing packages with npm ci (only when the lock file is new)')
  const flags = [
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  // Its output goes to stderr: stdout is the program's.
  const { status, signal } = await run(...npm(['ci', '--prefix', root, ...flags]), ['ignore', 2, 'inherit'])
  if (signal) endAs({ status, signal })
  if (status !== 0) fail('npm ci failed; see above')
  say(`installed in ${((Date.now() - began) / 1000).toFixed(1)} s`)
}

/** The npm that started this, where one did. */
function npm(args) {
  const cli = process.env.npm_execpath
  if (cli && /\.c?js$/.test(cli)) return [process.execPath, [cli, ...args]]
  return process.platform === 'win32' ? ['cmd.exe', ['/c', 'npm', ...args]] : ['npm', args]
}

/** The Node that came with the packages; where there is none for this system, the one that runs this. */
function findNode() {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const packaged = join(modules, `node-${system}-${process.arch}`, 'bin', name)
  // On a C library other than glibc the file is there and does not start.
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return packaged
  if (isEnough(process.versions.node)) return process.execPath
  return fail(
    `no Node 24 came with the packages for this system, and ${process.versions.node} is too old: install Node 24.2 or newer`,
  )
}

/** TypeScript and `await using` as they stand need Node 24, `import.meta.main` 24.2. */
function isEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 2)
}

/** Runs a program until it ends; signals meant for this process are handed on to it. */
function run(program, args, stdio) {
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node-compile'),
    PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter),
  }
  const child = spawn(program, args, { stdio, env })

  // A terminal sends Ctrl-C to the whole group: a second one from here would look like a second press.
  const forward = (signal) => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  return new Promise((done) => {
    child.on('error', (error) => fail(`${program} does not start: ${error.message}`))
    child.on('exit', (status, signal) => {
      for (const name of signals) process.off(name, forward)
      done({ status, signal })
    })
  })
}

/** Ends as the program did, so that a shell or supervisor sees the signal; the status is for where it is ignored. */
function endAs({ status, signal }) {
  if (!signal) process.exit(status ?? 1)
  process.exitCode = 128 + (constants.signals[signal] ?? 0)
  process.kill(process.pid, signal)
}

function say(text) {
  process.stderr.write(`sekisho: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
