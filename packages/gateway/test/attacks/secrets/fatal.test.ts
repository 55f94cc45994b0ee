import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { addPerson, doorOf, filesOf, personalServer, tokenOf } from '../../e2e/place.ts'
import { freshDataDir } from '../../e2e/stopped.ts'
import { send } from '../../e2e/wire.ts'
import { json, startOddUpstream, type Call } from '../odd-upstream.ts'
import { createSecrets } from '../planted.ts'

/** What is written when a process dies: CWE-528 (core dumps), CWE-209, CWE-532. Linux says what is dumped. */
const MIB = 1_048_576

/** A gate with a credential that is in use until it dies, and everything that it can leave behind. */
async function openDoomed(nodeOptions: string) {
  const place = freshDataDir()
  const secrets = createSecrets()
  const rootKey = randomBytes(32).toString('base64')
  secrets.add('the root key', rootKey)
  secrets.add('the token of ada', tokenOf('ada', 'slow'))
  const upstream = await startOddUpstream({ tools: { wait: () => {} }, lists: { huge: listHuge } })
  const servers = {
    slow: personalServer(`${upstream.origin}/modern`),
    huge: { url: `${upstream.origin}/modern/huge`, timeoutMs: 60_000 },
  }
  const gate = await startGate({
    config: { mcpServers: servers, limits: { heapPercent: 100, answerBytes: 512 * MIB } },
    dataDir: place.dataDir,
    env: { SEKISHO_ROOT_KEY: rootKey, NODE_OPTIONS: nodeOptions },
  })
  const home = readlinkSync(`/proc/${gate.pid}/cwd`)
  onTestFinished(async () => {
    await gate.stop()
    await upstream[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })
  const ada = await addPerson(gate, 'ada', ['slow'])
  secrets.add('the key of ada', ada.key)
  return {
    gate,
    home,
    /** Calls with the credential, which is on its way from then on. */
    async call() {
      send(doorOf(gate, ada, 'modern', 'slow'), 'tools/call', { name: 'wait', arguments: {} }).catch(() => {})
      await expect.poll(() => upstream.seen.some(({ tool }) => tool === 'wait')).toBe(true)
      return doorOf(gate, ada, 'modern', 'huge')
    },
    /** The secrets in what was left, by the file; and the files that are of the death alone. */
    left() {
      const files = [...filesOf(home), ...filesOf(place.dataDir)]
      const found = files.flatMap(([path, bytes]) => secrets.foundIn(bytes).map((what) => `${what} in ${path}`))
      return { found: [...found, ...secrets.foundIn(gate.log())], files: files.map(([path]) => path) }
    },
  }
}

/** More tools than the memory has room for, one by one. */
function listHuge({ id, response }: Call): void {
  const tools = Array.from({ length: 1_000_000 }, (_, index) => `{"name":"t${index}","inputSchema":{"type":"object"}}`)
  const result = `{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[${tools.join(',')}]}`
  json(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`)
}

test.runIf(process.platform === 'linux')(
  'a process that is aborted leaves a core dump without anybody’s credential (CWE-528)',
  async () => {
    const doomed = await openDoomed('--report-on-signal --report-signal=SIGUSR2')
    await doomed.call()
    const { pid } = doomed.gate
    expect(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim()).toBe('00000000')
    execFileSync('prlimit', ['--pid', String(pid), '--core=unlimited'])
    process.kill(pid, 'SIGUSR2')
    await expect.poll(() => doomed.left().files.filter((path) => REPORT.test(path))).toHaveLength(1)
    const { signal } = await doomed.gate.kill('SIGABRT')
    const { found, files } = doomed.left()
    expect([signal, found]).toEqual(['SIGABRT', []])
    expect(files.includes(`${doomed.home}/core`)).toBe(DUMPS_HERE)
  },
)

const REPORT = /report\.\d.*\.json$/
/** Whether the kernel puts a dump beside the process that died, as systems do that nobody has set up otherwise. */
const DUMPS_HERE = process.platform === 'linux' && /^core$/m.test(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'))

test('a process that runs out of memory leaves nobody’s credential and no environment, whatever it is told to report (CWE-532)', async () => {
  const doomed = await openDoomed('--max-old-space-size=80 --report-on-fatalerror --report-uncaught-exception')
  const door = await doomed.call()
  await send(door, 'tools/list', {}).catch(() => {})
  // Ends by itself; this signal changes nothing.
  const { signal } = await doomed.gate.kill('SIGCONT')
  const { found, files } = doomed.left()
  expect([signal, doomed.gate.log()]).toEqual(['SIGABRT', expect.stringMatching(/heap out of memory/)])
  expect(files.filter((path) => REPORT.test(path))).toEqual([])
  expect(found).toEqual([])
})

test('flags of Node that write memory on purpose are named in the log, and what they write holds credentials (CWE-532)', async () => {
  const doomed = await openDoomed('--heapsnapshot-signal=SIGUSR2')
  await doomed.call()
  expect(doomed.gate.log()).toMatch(/--heapsnapshot-signal=SIGUSR2.*gate\.memory_exposed/)
  process.kill(doomed.gate.pid, 'SIGUSR2')
  await expect
    .poll(() => doomed.left().found, { timeout: 60_000, interval: 1_000 })
    .toContainEqual(expect.stringMatching(/the token of ada in .*\.heapsnapshot/))
})
