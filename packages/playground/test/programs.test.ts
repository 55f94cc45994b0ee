import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const run = (name: string, args: readonly string[]) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const program = join(import.meta.dirname, '../src', name, 'bin.ts')
    execFile(process.execPath, [program, ...args], { timeout: 20_000 }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    )
  })

test.each(['everything', 'identity', 'mal'])(
  'the program %s says what it takes, and in one line what it does not',
  async (name) => {
    await using taken = createServer()
    await once(taken.listen(0, '127.0.0.1'), 'listening')
    const { port } = taken.address() as AddressInfo
    const [help, unknown, inUse] = await Promise.all([
      run(name, ['--help']),
      run(name, ['--nonsense']),
      run(name, ['--port', String(port)]),
    ])
    expect([help.code, help.err]).toEqual([0, ''])
    expect(help.out).toMatch(/^ {2}--port 300\d /m)
    expect([unknown.code, unknown.out, unknown.err]).toEqual([
      2,
      '',
      "Unknown option '--nonsense' (--help shows what there is)\n",
    ])
    expect([inUse.code, inUse.out]).toEqual([2, ''])
    expect(inUse.err).toMatch(/^[^\n]*EADDRINUSE[^\n]*\n$/)
  },
)
