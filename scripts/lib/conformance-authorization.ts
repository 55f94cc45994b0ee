import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judge, parseChecks, type ScenarioOutcome } from './conformance-results.ts'
import { freePort } from './free-port.ts'
import { startGate } from './gate.ts'
import { acceptInvitation, allowClient } from './people.ts'
import { startProgram } from './processes.ts'

/** The scenarios of the suite that a gate as an authorization server has to pass. */
const SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant']
const SUITE_MS = 120_000

export interface AuthorizationSet {
  readonly line: string
  readonly ok: boolean
  readonly outcomes: readonly ScenarioOutcome[]
}

/**
 * Runs the authorization scenarios against a gate of their own: the suite prints an address and waits for somebody
 * to open it, sign in and agree, which a browser without a screen does.
 */
export async function runAuthorization(suiteFolder: string, revision: string): Promise<AuthorizationSet> {
  const port = await freePort()
  const callbackPort = await freePort()
  const issuer = `http://localhost:${port}`
  const clientId = 'conformance-suite'
  const client = {
    clientId,
    name: 'Conformance suite',
    redirectUris: [`http://127.0.0.1:${callbackPort}/callback`],
  }
  await using gate = await startGate({ port, config: { mcpServers: {}, oauth: { clients: [client] } } })
  const browser = await acceptInvitation(await gate.inviteUser('suite'))

  const results = await mkdtemp(join(tmpdir(), 'conformance-'))
  const suite = startProgram({
    name: 'The conformance suite',
    command: process.execPath,
    args: [
      join(suiteFolder, 'dist/index.js'),
      'authorization',
      ...flags({
        url: issuer,
        'client-id': clientId,
        resource: `${issuer}/mcp`,
        port: String(callbackPort),
        'spec-version': revision,
        'output-dir': results,
      }),
    ],
    cwd: results,
  })
  const timer = setTimeout(() => suite.signal('SIGKILL'), SUITE_MS)
  try {
    const [, address = ''] = await suite.match(/^(http\S+\/authorize\?\S+)$/m, SUITE_MS)
    await allowClient(browser, new URL(address), 'suite')
    const { code } = await suite.ended
    const outcomes = await readOutcomes(results)
    const passed = SCENARIOS.filter((name) => outcomes.some((one) => one.scenario === name && one.passed))
    const ok = code === 0 && passed.length === SCENARIOS.length
    if (!ok) console.log(suite.output())
    return { line: `conformance authorization ${revision}: ${passed.length}/${SCENARIOS.length}`, ok, outcomes }
  } finally {
    clearTimeout(timer)
    await suite.stop()
    await rm(results, { recursive: true, force: true })
  }
}

function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value])
}

async function readOutcomes(results: string): Promise<ScenarioOutcome[]> {
  const outcomes: ScenarioOutcome[] = []
  for (const folder of await readdir(results)) {
    const scenario = SCENARIOS.find((name) => folder.includes(name))
    if (scenario === undefined) continue
    outcomes.push(judge(scenario, parseChecks(await readFile(join(results, folder, 'checks.json'), 'utf8'))))
  }
  return outcomes
}
