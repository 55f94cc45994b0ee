import type { Ground } from './faults-ground.ts'
import { begin, comeAgain, send, type Answered } from './faults-modern.ts'
import { textOf, toolFor, type Fields, type Message } from './faults-wire.ts'

/** Calls that wait for their client in one process. */
export interface ParkedCalls {
  readonly count: number
  /** Comes again with what was asked for, now that the process is gone; gives what was not said as it should be. */
  comeBack(): Promise<readonly string[]>
}

const UNSURE = 'may or may not have run'

/** Makes calls at one process that have asked, and are not answered yet. */
export async function parkCalls(ground: Ground, process: number, count: number): Promise<ParkedCalls> {
  const calls = Array.from({ length: count }, (_, n) => ({ label: `parked ${n}`, tool: toolFor('http', n) }))
  const asked = await Promise.all(calls.map((call) => begin(ground.doorAt(process, 'http'), call)))
  return {
    count,
    async comeBack() {
      const came = await Promise.all(
        calls.map((call, n) => comeAgain(ground.door('http'), call, asked[n]?.result ?? {})),
      )
      return came.flatMap(({ result }) => (isFailure(result, 'call.lost') ? [] : [JSON.stringify(result)]))
    },
  }
}

/** A failure that tells a model what it must know: nobody can say whether the call ran. */
function isFailure(result: Fields, code: string): boolean {
  const failure = result['_meta']?.['dev.sekisho/error']?.code
  return result['isError'] === true && failure === code && textOf(result).includes(UNSURE)
}

/** What became of calls whose server was killed in the middle of them. */
export interface KilledCounts {
  /** A tool that only reads was run again, by the next child. */
  readonly ranAgain: number
  /** Any other was not, and says so. */
  readonly said: number
  readonly otherwise: readonly string[]
}

export async function killInMidCall(ground: Ground, times: number): Promise<KilledCounts> {
  let ranAgain = 0
  let said = 0
  const otherwise: string[] = []
  for (let n = 0; n < times; n++) {
    const look = await callAndKill(ground, 'look')
    if (/^look by \d+$/.test(textOf(look.result)) && look.runs === 2) ranAgain += 1
    else otherwise.push(`look: ${look.runs} times, ${JSON.stringify(look.result)}`)
    const change = await callAndKill(ground, 'change')
    if (isFailure(change.result, 'upstream.died') && change.runs === 1) said += 1
    else otherwise.push(`change: ${change.runs} times, ${JSON.stringify(change.result)}`)
  }
  return { ranAgain, said, otherwise }
}

/** Kills the child as soon as the call is known to have begun in it. */
async function callAndKill(ground: Ground, name: string): Promise<Answered & { readonly runs: number }> {
  let runs = 0
  const params = { name, arguments: { ms: 300 }, _meta: { progressToken: name } }
  const answered = await send(ground.door('child'), { label: name, params }, ({ method, params: about }: Message) => {
    if (method !== 'notifications/progress') return
    runs += 1
    if (runs === 1) process.kill(Number(about?.['message']), 'SIGKILL')
  })
  return { ...answered, runs }
}

/**
 * Kills every child of a server that runs at one process, and waits until a successor answers. A call that was written
 * to the dead one before anybody could know may have run: such a call is not made here.
 */
export async function killServer(ground: Ground, process: number, command: string): Promise<void> {
  if (ground.killChildren(process, command) === 0) throw new Error(`no child of process ${process} runs ${command}`)
  const params = { name: 'test_simple_text', arguments: {} }
  const isDead = async () => {
    const { result } = await send(ground.doorAt(process, 'pipes'), { label: 'successor', params })
    return isFailure(result, 'upstream.died')
  }
  while (await isDead());
}

/** What the gate says of its servers. */
export async function statusOf(ground: Ground, server: string): Promise<string> {
  const { result } = await send(ground.door(), {
    label: 'status',
    params: { name: 'sekisho_status', arguments: {} },
  })
  return (
    textOf(result)
      .split('\n')
      .find((line) => line.startsWith(`- ${server}:`)) ?? ''
  )
}
