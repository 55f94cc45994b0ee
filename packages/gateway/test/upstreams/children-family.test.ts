import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createProcessTable } from '../../src/upstreams/children/processes.ts'
import { reapLeftovers } from '../../src/upstreams/children/records.ts'
import { ada, lives, logInto, odd, openPlace, until } from './children-harness.ts'

const GATE = fileURLToPath(new URL('fixtures/doomed-gate.ts', import.meta.url))
const log = logInto([])
const processes = createProcessTable()

function openState() {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekisho-reap-'))
  mkdirSync(join(stateDir, 'children'))
  return {
    stateDir,
    files: () => readdirSync(join(stateDir, 'children')),
    members: () => readdirSync(join(stateDir, 'children')).flatMap((name) => pidsIn(join(stateDir, 'children', name))),
    put: (record: object) => writeFileSync(join(stateDir, 'children', 'x.json'), JSON.stringify(record)),
    [Symbol.dispose]: () => rmSync(stateDir, { recursive: true, force: true }),
  }
}

function pidsIn(file: string): number[] {
  const { members }: { members: { pid: number }[] } = JSON.parse(readFileSync(file, 'utf8'))
  return members.map(({ pid }) => pid)
}

function startGate(stateDir: string) {
  return spawn(process.execPath, [GATE, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** So that a test that fails leaves nothing behind either. */
function endAll(pids: readonly number[]): void {
  for (const pid of pids.filter(lives)) process.kill(pid, 'SIGKILL')
}

/** Starts something harmless that lives until it is ended. */
function sleeper() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  const { pid = 0 } = child
  return { pid, startTime: processes.find(pid)?.startTime ?? 0, [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

describe('a child that ends', () => {
  test('takes all its descendants with it: those that left its group, those whose parent is gone, those that ignore SIGTERM', async () => {
    await using place = openPlace({ sampleMs: 50 })
    await place.tool(ada, odd('family'), 'pid')
    const members = () =>
      readdirSync(join(place.stateDir, 'children')).flatMap((name) => pidsIn(join(place.stateDir, 'children', name)))
    await until(() => members().filter(lives).length === 4)
    const pids = members()
    await place.children.close()
    expect(pids.filter(lives)).toEqual([])
    expect(readdirSync(join(place.stateDir, 'children'))).toEqual([])
  })
})

describe('what a killed gate left behind', () => {
  test('is ended by the next, down to the last descendant, and the record holds no secret', async () => {
    using state = openState()
    const gate = startGate(state.stateDir)
    const started = [gate.pid ?? 0]
    onTestFinished(() => endAll(started))
    await once(createInterface({ input: gate.stdout }), 'line')
    await until(() => state.members().filter(lives).length === 8)
    const pids = state.members().filter(lives)
    started.push(...pids)
    expect(
      state
        .files()
        .map((name) => readFileSync(join(state.stateDir, 'children', name), 'utf8'))
        .join(''),
    ).not.toContain('hunter2')

    expect(await reapLeftovers({ stateDir: state.stateDir, log, graceMs: 200 })).toBe(0)
    expect(pids.filter(lives)).toEqual(pids)

    gate.kill('SIGKILL')
    await once(gate, 'exit')
    expect(pids.filter(lives).length).toBeGreaterThanOrEqual(7)
    expect(await reapLeftovers({ stateDir: state.stateDir, log, graceMs: 200 })).toBe(2)
    expect(pids.filter(lives)).toEqual([])
    expect(state.files()).toEqual([])
  })

  test('is found by its session when its child itself is gone', async () => {
    using state = openState()
    const leader = spawn('sh', ['-c', 'sleep 1000 & read wait'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const { pid = 0 } = leader
    const { startTime = 0 } = processes.find(pid) ?? {}
    const inSession = async () => (await processes.list()).filter(({ session }) => session === pid)
    await until(async () => (await inSession()).length === 2)
    leader.stdin.end()
    await once(leader, 'exit')
    expect(await inSession()).toHaveLength(1)
    state.put({ space: processes.space, gate: { pid: 999_999_999, startTime: 1 }, members: [{ pid, startTime }] })
    expect(await reapLeftovers({ stateDir: state.stateDir, log, graceMs: 200 })).toBe(1)
    expect(await inSession()).toEqual([])
  })

  test('is never a process that merely has the same number, nor one of another boot', async () => {
    using state = openState()
    using stranger = sleeper()
    const gate = { pid: 999_999_999, startTime: 1 }
    const { pid, startTime } = stranger
    for (const record of [
      { space: processes.space, gate, members: [{ pid, startTime: startTime - 1 }] },
      { space: 'another boot', gate, members: [{ pid, startTime }] },
      { nonsense: true },
    ]) {
      state.put(record)
      expect(await reapLeftovers({ stateDir: state.stateDir, log, graceMs: 200 })).toBe(0)
      expect([lives(pid), state.files()]).toEqual([true, []])
    }
    state.put({ space: processes.space, gate, members: [{ pid, startTime }] })
    expect(await reapLeftovers({ stateDir: state.stateDir, log, graceMs: 200 })).toBe(1)
    expect(lives(pid)).toBe(false)
  })

  test('is nothing at the first start', async () => {
    expect(await reapLeftovers({ stateDir: join(tmpdir(), 'sekisho-never-was'), log, graceMs: 200 })).toBe(0)
  })
})
