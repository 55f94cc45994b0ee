import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { problem, type Problem } from '../../src/base/problem.ts'
import type { Parking, Resumed } from '../../src/mcp/bridge/parking.ts'
import { codeOf } from '../stores/outcome.ts'
import { ada, answered, bob, call, come, form, openGates, read, type Time, type User } from './bridge-scene.ts'

/**
 * Calls of two users at two processes, in any order of all that can happen to them. What a client says to a question
 * names the question, so that a server which hears anything else has heard what was not said to it.
 */

type Step =
  | { readonly do: 'begin'; readonly at: number; readonly user: number }
  | { readonly do: 'ask'; readonly call: number; readonly times: number }
  | { readonly do: 'come'; readonly call: number; readonly at: number; readonly state: number; readonly say: Say }
  | { readonly do: 'break'; readonly come: number }
  | { readonly do: 'steal'; readonly call: number; readonly at: number }
  | { readonly do: 'end'; readonly call: number; readonly fails: boolean }
  | { readonly do: 'pass'; readonly ms: number }
type Say = 'all' | 'some' | 'nothing' | 'nonsense'

const index = fc.nat(50)
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('begin' as const), at: index, user: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('ask' as const), call: index, times: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('come' as const),
      call: index,
      at: index,
      state: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, index),
      say: fc.constantFrom<Say>('all', 'all', 'all', 'some', 'nothing', 'nonsense'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), come: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('steal' as const), call: index, at: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), call: index, fails: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 5, 30_000, 61_000, 600_000) }),
  },
)

interface Asked {
  /** The mark in its params. */
  readonly mark: string
  /** All that the server was told; one at most. */
  readonly heard: string[]
}

/** A call as its server and its client know it. */
interface Known {
  readonly user: User
  readonly under: ReturnType<typeof call>
  readonly asked: Asked[]
  /** Marks that some result has shown to the client. */
  readonly shown: Set<string>
  /** The newest first, with what was asked in that round: marks by keys. */
  readonly rounds: { readonly state: string; readonly marks: ReadonlyMap<string, string> }[]
  /** What the server ended it with, unless the gate gave it up before. */
  ended: 'answer' | 'failure' | undefined
  readonly outcomes: (string | Problem)[]
}

interface Waiting {
  readonly known: Known
  readonly controller: AbortController
  over: boolean
}

test('whatever happens in whatever order: no call ends twice, no question is lost, nothing reaches somebody else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60 }), async (script) => {
      const { calls, left } = await play(script)
      expect(calls.flatMap(wrongWith)).toEqual([])
      expect(left).toEqual({ waiting: 0, calls: [0, 0], timers: 0 })
    }),
    { numRuns: 300 },
  )
})

async function play(script: readonly Step[]) {
  const { time, gates, close } = openGates(2)
  const calls: Known[] = []
  const comings: Waiting[] = []
  const gateAt = (at: number): Parking => pick(gates, at).parking

  for (const step of [{ do: 'begin', at: 0, user: 0 } as const, ...script]) {
    if (step.do === 'begin') calls.push(begin(gateAt(step.at), pick([ada, bob], step.user)))
    if (step.do === 'ask') ask(pick(calls, step.call), calls.indexOf(pick(calls, step.call)), step.times)
    if (step.do === 'come') comeAgain(gateAt(step.at), pick(calls, step.call), step, comings)
    if (step.do === 'break' && comings.length > 0)
      pick(comings, step.come).controller.abort(problem('request.cancelled'))
    if (step.do === 'steal') await steal(gateAt(step.at), pick(calls, step.call))
    if (step.do === 'end') end(pick(calls, step.call), step.fails)
    if (step.do === 'pass') await time.pass(step.ms)
    await turn()
    for (const known of calls) look(known, known.under.results[0])
  }
  const parkings = gates.map(({ parking }) => parking)
  await endAll(calls, parkings, time)
  for (const { controller } of comings) controller.abort(problem('request.cancelled'))
  await time.pass(1_300_000)

  const waiting = comings.filter(({ over }) => !over).length
  const left = { waiting, calls: parkings.map(({ size }) => size), timers: time.waiting }
  await close()
  return { calls, left }
}

function begin(parking: Parking, user: User): Known {
  const under = call(parking, { user })
  return { user, under, asked: [], shown: new Set(), rounds: [], ended: undefined, outcomes: [] }
}

/** A server asks nothing of a call that has ended for it. */
function ask(known: Known, number: number, times: number): void {
  for (let each = 0; each < times && !isOver(known); each++) {
    const asked: Asked = { mark: `${number}.${known.asked.length}`, heard: [] }
    known.asked.push(asked)
    const params = JSON.stringify({ message: asked.mark })
    void known.under.parked.ask({ ...form, params }).then((reply) => asked.heard.push(reply))
  }
}

function isOver({ ended, under }: Known): boolean {
  return ended !== undefined || under.aborted.length > 0
}

/** Takes note of what a client is shown. */
function look(known: Known, result: string | undefined): void {
  if (result === undefined) return
  const { state, questions } = read(result)
  if (known.rounds.some((round) => round.state === state)) return
  const marks = new Map(Object.entries(questions).map(([key, question]) => [key, markOf(question)]))
  for (const mark of marks.values()) known.shown.add(mark)
  known.rounds.unshift({ state, marks })
}

function markOf(question: unknown): string {
  return (question as { params: { message: string } }).params.message
}

function comeAgain(parking: Parking, known: Known, step: Step & { do: 'come' }, comings: Waiting[]): void {
  const round = known.rounds[step.state % Math.max(1, known.rounds.length)]
  if (!round) return
  const waiting = { known, controller: new AbortController(), over: false }
  comings.push(waiting)
  const said = sayTo(round.marks, step.say)
  void come(parking, { user: known.user, state: round.state, said, signal: waiting.controller.signal })
    .then((resumed) => takeOutcome(known, resumed))
    .catch((error: Problem) => known.outcomes.push(error))
    .finally(() => (waiting.over = true))
}

function sayTo(marks: ReadonlyMap<string, string>, say: Say): Record<string, string> {
  const words = [...marks].map(([key, mark]) => [key, say === 'nonsense' ? `"${mark}"` : `{"to":"${mark}"}`] as const)
  if (say === 'nothing') return {}
  return Object.fromEntries(say === 'some' ? words.slice(1) : words)
}

function takeOutcome(known: Known, resumed: Resumed): void {
  if (resumed.kind === 'questions') look(known, resumed.result)
  else known.outcomes.push(resumed.member.toString())
}

async function steal(parking: Parking, known: Known): Promise<void> {
  const state = known.rounds[0]?.state
  if (state === undefined) return
  const thief = known.user === ada ? bob : ada
  expect(await codeOf(come(parking, { user: thief, state, said: { q1: '{}' } }))).toBe('call.state')
}

function end(known: Known, fails: boolean): void {
  if (isOver(known)) return
  known.ended = fails ? 'failure' : 'answer'
  known.under.parked.finish(fails ? { kind: 'failed', problem: problem('upstream.died') } : answered('the end'))
}

/** A client that comes and says all it is asked hears every question, and what came of its call at last. */
async function endAll(calls: readonly Known[], parkings: readonly Parking[], time: Time): Promise<void> {
  await time.pass(5)
  for (const [number, known] of calls.entries()) {
    look(known, known.under.results[0])
    if (isOver(known)) continue
    for (let times = 0; times < ROUNDS_ENOUGH && unheard(known); times++) {
      void comeOnce(pick(parkings, times), known)
      await time.pass(5)
    }
    expect(unheard(known)).toBe(false)
    const last = known.under.parked.detached ? comeOnce(pick(parkings, number), known) : answered('the end')
    await turn()
    end(known, false)
    expect(await last).toEqual(answered('the end'))
  }
}

/** One for the round that was missed, one for what is open, one for what waited behind it. */
const ROUNDS_ENOUGH = 3

function unheard({ asked }: Known): boolean {
  return asked.some(({ heard }) => heard.length === 0)
}

async function comeOnce(parking: Parking, known: Known): Promise<Resumed> {
  const { state, marks } = pick(known.rounds, 0)
  const resumed = await come(parking, { user: known.user, state, said: sayTo(marks, 'all') })
  takeOutcome(known, resumed)
  return resumed
}

/** What is not as it must be when all is over. */
function wrongWith({ under, asked, shown, ended, outcomes }: Known): string[] {
  const { aborted, results, parked } = under
  const codes = aborted.map(({ code }) => code).join()
  return [
    ...(codes === (ended === undefined ? 'call.expired' : '') ? [] : [`ended by ${ended} and by ${codes}`]),
    ...(results.length === (parked.detached ? 1 : 0) ? [] : [`${results.length} results`]),
    ...asked.flatMap((question) =>
      isHeard(question, shown) ? [] : [`${question.mark} heard ${question.heard.join()}`],
    ),
    ...outcomes.filter((outcome) => !isDue(outcome, ended)).map((outcome) => `${ended} came as ${String(outcome)}`),
  ]
}

/** Each question has one reply: what was said to it by one who was shown it, or that nobody was asked. */
function isHeard({ mark, heard }: Asked, shown: ReadonlySet<string>): boolean {
  const [reply = ''] = heard
  if (heard.length !== 1) return false
  return reply.startsWith('"error"') || (reply === `"result":{"to":"${mark}"}` && shown.has(mark))
}

function isDue(outcome: string | Problem, ended: Known['ended']): boolean {
  if (typeof outcome === 'string') return ended === 'answer' && outcome === '"result":{"text":"the end"}'
  const { code } = outcome
  return NOT_OF_THE_CALL.has(code) || code === (ended === 'failure' ? 'upstream.died' : 'call.expired')
}

/** The client hung up, or came too late for what there was. */
const NOT_OF_THE_CALL: ReadonlySet<string> = new Set(['request.cancelled', 'call.expired', 'call.lost'])

function pick<T>(from: readonly T[], at: number): T {
  const found = from[at % from.length]
  if (found === undefined) throw new RangeError('nothing to pick from')
  return found
}
