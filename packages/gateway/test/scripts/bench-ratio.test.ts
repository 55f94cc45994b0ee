import { describe, expect, it } from 'vitest'
import { judgeMemory, judgeRow, parseRecords, type BenchRecord } from '../../../../bench/ratio.ts'

const ROW = {
  title: '/mcp/{server} modern c16',
  target: 'gate-server',
  scenario: 'modern',
  ceiling: 'ceiling-checked',
}

describe('a row of guarded calls', () => {
  it('is the ratio of the medians of CPU time, over all rounds', () => {
    const gate = [60, 90, 70].map((cpuUs) => call('gate-server', 'modern', cpuUs))
    const ceiling = [50, 48, 500].map((cpuUs) => call('ceiling-checked', 'modern', cpuUs))
    expect(judgeRow(ROW, [...gate, ...ceiling])).toEqual({
      line: 'bench /mcp/{server} modern c16: 1.40 x ceiling-checked, 0 errors',
      ok: true,
    })
  })

  it('compares the same era and the same ceiling only', () => {
    const others = [call('ceiling-rewrite', 'modern', 1), call('ceiling-checked', 'c16', 1), call('gate', 'modern', 1)]
    const records = [...others, call('gate-server', 'modern', 90), call('ceiling-checked', 'modern', 60)]
    expect(judgeRow(ROW, records).line).toBe('bench /mcp/{server} modern c16: 1.50 x ceiling-checked, 0 errors')
  })

  it('takes the mean of the middle two where the rounds are even in number', () => {
    const gate = [60, 80].map((cpuUs) => call('gate-server', 'modern', cpuUs))
    expect(judgeRow(ROW, [...gate, call('ceiling-checked', 'modern', 70)]).line).toContain(': 1.00 x')
  })

  it('is not well with a single error in any round', () => {
    const gate = [call('gate-server', 'modern', 60), { ...call('gate-server', 'modern', 60), errors: 1 }]
    expect(judgeRow(ROW, [...gate, call('ceiling-checked', 'modern', 60)])).toMatchObject({
      line: expect.stringMatching(/, 1 errors$/),
      ok: false,
    })
  })

  it('is not well where either side was not measured', () => {
    const failed: BenchRecord = { round: 1, target: 'gate-server', scenario: 'start', failed: 'not ready' }
    expect(judgeRow(ROW, [failed, call('ceiling-checked', 'modern', 60)])).toEqual({
      line: 'bench /mcp/{server} modern c16: not measured',
      ok: false,
    })
    expect(judgeRow(ROW, [call('gate-server', 'modern', 60)]).ok).toBe(false)
  })
})

describe('resident memory', () => {
  it('is the most that any start of the gate held, and no ceiling’s', () => {
    const starts = [start('gate', 99.6), start('gate-server', 101.4), start('ceiling-checked', 200)]
    expect(judgeMemory(starts)).toEqual({ line: 'bench resident: 101 MB after start', ok: true })
  })

  it('is not well where no gate started', () => {
    expect(judgeMemory([start('ceiling-checked', 40)]).ok).toBe(false)
  })
})

it('reads results line by line', () => {
  expect(parseRecords('{"round":1,"target":"gate","scenario":"start"}\n\n')).toEqual([
    { round: 1, target: 'gate', scenario: 'start' },
  ])
})

function call(target: string, scenario: string, cpuUs: number): BenchRecord {
  return { round: 1, target, scenario, cpuUs, errors: 0 }
}

function start(target: string, rssIdleMb: number): BenchRecord {
  return { round: 1, target, scenario: 'start', rssIdleMb }
}
