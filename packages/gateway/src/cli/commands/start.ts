import { command } from '../command.ts'

export const start = command({
  name: 'start',
  does: 'Runs the gate until it is told to stop.',
  arguments: [],
  options: {},
  examples: { start: 'with ./sekisho.jsonc, or with demonstration servers where there is none' },
  async run() {
    // Loaded here only: the other commands do without the gate itself.
    const { runGate } = await import('../../main.ts')
    await runGate()
  },
})
