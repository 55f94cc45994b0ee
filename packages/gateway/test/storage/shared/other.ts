import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { REDIS } from './places.ts'

/** Starts a real process that shares a database with those of the test. */
export async function startOther(database: string) {
  const child = fork(join(import.meta.dirname, 'fixtures/other.ts'), [REDIS, database])
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: string[] = []
  child.on('message', (what: string) => said.push(what))
  const [instance] = (await once(child, 'message')) as [string]

  async function hears(what: string): Promise<void> {
    while (!said.includes(what)) await once(child, 'message')
    said.splice(said.indexOf(what), 1)
  }

  return {
    instance,
    hears,
    async does(order: string, given: string): Promise<void> {
      child.send({ order, given })
      await hears(`done ${order}`)
    },
    /** As when the machine takes it: nothing is said, nothing is put in order. */
    async kill(): Promise<void> {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
