import { Me } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showTime } from '../print.ts'

export const whoami = command({
  name: 'whoami',
  does: 'Says who the gate takes you for, and what you may do.',
  arguments: [],
  options: gateOptions,
  examples: {
    whoami: 'over the socket of the data directory: the operator',
    'whoami --url https://gate.example.com --key-file key.txt': 'what an API key opens, and until when',
  },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const me = await client.ask({ method: 'GET', path: ['me'] }, Me)
    const print = createPrinter(world)
    if (options.json) return print.json(me)
    const { name, role } = me.user ?? { name: '(operator)', role: '-' }
    const row = [name, role, me.scopes.join(' '), me.servers.join(' ') || '-', showTime(me.expiresAt ?? null, 'never')]
    print.table(['USER', 'ROLE', 'SCOPES', 'SERVERS', 'ENDS (UTC)'], [row], '')
  },
})
