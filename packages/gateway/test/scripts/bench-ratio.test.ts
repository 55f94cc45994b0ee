import { describe, expect, it } from 'vitest'
import {
  isMeasured,
  judgeMemory,
  judgeRow,
  parseRecords,
  rows,
  scenariosOf,
  workerRows,
  type BenchRecord,
} from '../../../../bench/ratio.ts'

const ROW = {
  title: '/mcp/{server} modern c16',
  target: 'gate-server',
  scenario: 'modern',
  ceiling: 'ceiling-checked',
  figure: 'cpuUs',
  most: 1.45,
} as const

describe('a row of guarded calls', () => {
  it('is the ratio of the medians of CPU time, over all rounds', () => {
    const gate = [60, 90, 70].map((cpuUs) => call('gate-server', 'modern', cpuUs))
    const ceiling = [50, 48, 500].map((cpuUs) => call('ceiling-checked', 'modern', cpuUs))
    expect(judgeRow(ROW, [...gate, ...ceiling])).toEqual({
      line: 'bench /mcp/{server} modern c16: 1.40 x ceiling-checked, 0 errors, at most 1.45 x: met',
      ok: true,
      isMet: true,
    })
  })

  it('says where it is more than it shall be, which is no error', () => {
    const records = [call('gate-server', 'modern', 90), call('ceiling-checked', 'modern', 60)]
    expect(judgeRow(ROW, records)).toEqual({
      line: 'bench /mcp/{server} modern c16: 1.50 x ceiling-checked, 0 errors, at most 1.45 x: missed',
      ok: true,
      isMet: false,
    })
  })

  it('says so where nothing is laid down', () => {
    const { most: _most, ...row } = ROW
    const records = [call('gate-server', 'modern', 90), call('ceiling-checked', 'modern', 60)]
    expect(judgeRow(row, records)).toEqual({
      line: 'bench /mcp/{server} modern c16: 1.50 x ceiling-checked, 0 errors, no target',
      ok: true,
      isMet: undefined,
    })
  })

  it('compares the same era and the same ceiling only', () => {
    const others = [call('ceiling-rewrite', 'modern', 1), call('ceiling-checked', 'c16', 1), call('gate', 'modern', 1)]
    const records = [...others, call('gate-server', 'modern', 90), call('ceiling-checked', 'modern', 60)]
    expect(judgeRow(ROW, records).line).toContain(': 1.50 x ceiling-checked, 0 errors,')
  })

  it('takes the mean of the middle two where the rounds are even in number', () => {
    const gate = [60, 80].map((cpuUs) => call('gate-server', 'modern', cpuUs))
    expect(judgeRow(ROW, [...gate, call('ceiling-checked', 'modern', 70)]).line).toContain(': 1.00 x')
  })

  it('is not well with a single error in any round', () => {
    const gate = [call('gate-server', 'modern', 60), { ...call('gate-server', 'modern', 60), errors: 1 }]
    expect(judgeRow(ROW, [...gate, call('ceiling-checked', 'modern', 60)])).toMatchObject({
      line: expect.stringMatching(/, 1 errors,/),
      ok: false,
    })
  })

  it('is not well where either side was not measured', () => {
    const failed: BenchRecord = { round: 1, target: 'gate-server', scenario: 'start', failed: 'not ready' }
    expect(judgeRow(ROW, [failed, call('ceiling-checked', 'modern', 60)])).toEqual({
      line: 'bench /mcp/{server} modern c16: not measured',
      ok: false,
      isMet: false,
    })
    expect(judgeRow(ROW, [call('gate-server', 'modern', 60)]).ok).toBe(false)
  })
})

describe('other figures', () => {
  it('may be the memory under load', () => {
    const row = { ...ROW, title: 'memory', scenario: '1m', figure: 'rssPeakMb', most: 1.3 } as const
    const records = [peak('gate-server', 200), peak('ceiling-checked', 160)]
    expect(judgeRow(row, records).line).toBe('bench memory: 1.25 x ceiling-checked, 0 errors, at most 1.3 x: met')
  })

  it('may be what a stream takes, and a stream that is not open is an error', () => {
    const row = { ...ROW, title: 'a stream', scenario: 'idle', figure: 'kbPerStream', most: 2 } as const
    const ceiling = streams('ceiling-checked', 20, 1000)
    const well = judgeRow(row, [streams('gate-server', 30, 1000), ceiling])
    expect(well).toMatchObject({
      line: expect.stringContaining('1.50 x ceiling-checked, 1000 of 1000 streams'),
      ok: true,
    })
    expect(judgeRow(row, [streams('gate-server', 30, 999), ceiling]).ok).toBe(false)
  })

  it('are asked for only where both sides ran, or were to run', () => {
    const one = [call('gate-server', 'modern', 1), call('ceiling-checked', 'modern', 1)]
    expect([...rows, ...workerRows].filter((row) => isMeasured(row, one)).map(({ title }) => title)).toEqual([
      '/mcp/{server} modern c16',
    ])
    const failed: BenchRecord = { round: 1, target: 'gate-server', scenario: 'start', failed: 'not ready' }
    expect(isMeasured(ROW, [failed, call('ceiling-checked', 'modern', 1)])).toBe(true)
  })
})

describe('a target', () => {
  it('is measured in the scenarios alone in which it is one side of a row', () => {
    expect(scenariosOf('ceiling-rewrite')).toEqual(['modern', 'c16'])
    expect(scenariosOf('gate-workers')).toEqual(['modern', 'c16'])
    expect(scenariosOf('ceiling-checked')).toEqual(scenariosOf('gate-server'))
    expect(scenariosOf('direct')).toEqual([])
  })
})

describe('resident memory', () => {
  it('is the most that any start of the gate held, and no ceiling’s', () => {
    const starts = [start('gate', 99.6, 130), start('gate-server', 101.4, 121), start('ceiling-checked', 200, 200)]
    expect(judgeMemory(starts)).toEqual({
      line: 'bench resident: 101 MB after start, 130 MB after a first sign-in, at most 170 MB: met',
      ok: true,
      isMet: true,
    })
  })

  it('is not well where no gate started', () => {
    expect(judgeMemory([start('ceiling-checked', 40, 40)]).ok).toBe(false)
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

function peak(target: string, rssPeakMb: number): BenchRecord {
  return { round: 1, target, scenario: '1m', rssPeakMb, errors: 0 }
}

function streams(target: string, kbPerStream: number, opened: number): BenchRecord {
  return { round: 1, target, scenario: 'idle', kbPerStream, asked: 1000, opened }
}

function start(target: string, rssReadyMb: number, rssIdleMb: number): BenchRecord {
  return { round: 1, target, scenario: 'start', rssReadyMb, rssIdleMb }
}
