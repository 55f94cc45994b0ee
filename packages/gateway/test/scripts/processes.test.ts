import { describe, expect, it } from 'vitest'
import { stillRunning, treeOf } from '../../../../scripts/lib/process-tree.ts'
import { startProgram } from '../../../../scripts/lib/processes.ts'

/** Starts a grandchild in a group of its own that heeds no SIGTERM, says its number, and stays. */
const PARENT = `
  const { spawn } = require('node:child_process')
  const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], {
    detached: true, stdio: 'ignore',
  })
  console.log('child ' + child.pid)
  setInterval(() => {}, 1000)
`

describe('a program', () => {
  it('is ended with every descendant, whatever group they are in', async () => {
    const program = run(PARENT)
    await program.match(/child (\d+)/, 30_000)
    const tree = treeOf(program.pid)
    expect(tree).toHaveLength(2)
    await program.stop()
    expect(stillRunning(tree)).toEqual([])
  })

  it('that was killed leaves its children for as long as nobody stops it', async () => {
    const program = run(PARENT)
    const [, child] = await program.match(/child (\d+)/, 30_000)
    const tree = treeOf(program.pid)
    program.signal('SIGKILL')
    expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' })
    expect(stillRunning(tree).map(({ pid }) => pid)).toEqual([Number(child)])
    await program.stop()
    expect(stillRunning(tree)).toEqual([])
  })

  it('that ignores SIGTERM is ended after its grace', async () => {
    const program = run('process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)')
    await program.match(/up/, 30_000)
    expect(await program.stop(50)).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('is shown with what it wrote where it ends too early', async () => {
    const program = run('console.error("no such file"); process.exitCode = 3')
    await expect(program.match(/ready/, 30_000)).rejects.toThrow(/ended \(3\)[^]*no such file/)
  })

  it('is given its input', async () => {
    const program = startProgram({ ...node('process.stdin.pipe(process.stdout)'), input: 'a secret' })
    await program.ended
    expect(program.output()).toBe('a secret')
  })
})

function run(source: string) {
  return startProgram(node(source))
}

function node(source: string) {
  return { name: 'The program', command: process.execPath, args: ['-e', source] }
}
