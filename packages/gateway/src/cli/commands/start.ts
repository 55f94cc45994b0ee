import { command } from '../command.ts'

export const start = command({
  name: 'start',
  does: 'Runs the gate until it is told to stop.',
  arguments: [],
  options: {
    workers: {
      value: 'n',
      number: true,
      says: 'How many processes serve; more than one needs DATABASE_URL and REDIS_URL.',
    },
  },
  examples: {
    start: 'with ./sekisho.jsonc, or with demonstration servers where there is none',
    'start --workers 4': 'four processes on one address',
  },
  async run({ options }) {
    // Loaded here only: the other commands do without the gate itself.
    const { runGate } = await import('../../main.ts')
    return runGate(options)
  },
})
