import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** A target as the harness takes it; see `harness/README.md`. */
export interface Target {
  readonly name: string
  readonly cmd?: readonly string[]
  readonly [key: string]: unknown
}

const MAIN = resolve(import.meta.dirname, '../packages/gateway/src/main.ts')
const COMPILED = resolve(import.meta.dirname, '../node_modules/.cache/node-compile')
const SETUP = join(import.meta.dirname, 'setup-gate.ts')
const CEILINGS = new Set(['direct', 'ceiling-checked', 'ceiling-rewrite'])

/** Several processes of the gate, and what they share. */
export interface Several {
  readonly count: number
  readonly environment: Readonly<Record<string, string>>
}

/** The limits, ceilings first, each beside the part of the gate that does the same work. */
export function benchTargets(several?: Several): Target[] {
  const known: Target[] = JSON.parse(readFileSync(join(import.meta.dirname, 'harness/targets.json'), 'utf8'))
  const ceilings = known.filter(({ name }) => CEILINGS.has(name))
  const gates = [gateAt('gate-server', '/mcp/up'), gateAt('gate', '/mcp')]
  const all = [...ceilings, ...gates, ...(several ? [workersAt('gate-workers', '/mcp/up', several)] : [])]
  return all.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name))
}

const ORDER = ['direct', 'ceiling-checked', 'gate-server', 'gate-workers', 'ceiling-rewrite', 'gate']

/** The gate as its users run it in production, with every guard of a call on: key, limits, audit, metrics, token. */
function gateAt(name: string, path: string): Target & { readonly env: Readonly<Record<string, string>> } {
  return {
    name,
    kind: 'ours',
    // As `npm start` has it, too: half the usual room for young objects costs no call anything, and the gate 16 MB less.
    cmd: ['${NODE}', '--max-semi-space-size=8', MAIN],
    env: {
      SEKISHO_CONFIG: '${DIR}/sekisho.jsonc',
      SEKISHO_DATA: '${DIR}/data',
      SEKISHO_PORT: '${PORT}',
      SEKISHO_ROOT_KEY_STORE: 'file',
      SEKISHO_LOG_FORMAT: 'json',
      SEKISHO_LOG_LEVEL: 'info',
      // As `npm start` has it: from the second start on, nothing is compiled.
      NODE_COMPILE_CACHE: COMPILED,
    },
    files: { 'sekisho.jsonc': CONFIG },
    ready: 'http://127.0.0.1:${PORT}/health/ready',
    setup: ['${NODE}', SETUP, '${DIR}/data', 'http://127.0.0.1:${PORT}'],
    url: `http://127.0.0.1:\${PORT}${path}`,
    headers: { Authorization: 'Bearer ${GATE_KEY}' },
    eras: ['legacy', 'modern'],
  }
}

/** The same in several processes; the one that looks after them is counted too. */
function workersAt(name: string, path: string, { count, environment }: Several): Target {
  const one = gateAt(name, path)
  return { ...one, env: { ...one.env, ...environment, SEKISHO_WORKERS: String(count) } }
}

const CONFIG = {
  mcpServers: {
    up: {
      url: '${UPSTREAM_URL}',
      headers: { Authorization: { $userToken: 'Bearer {{token}}' } },
      tokenSetup: { name: 'Bench', instructions: 'Any text will do.' },
    },
  },
  // Counted on every call, and never reached.
  limits: { callsPerMinute: 1_000_000, concurrentCalls: 1000, streamsPerUser: 1000 },
}
