import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter } from '../print.ts'

export const logs = command({
  name: 'logs',
  does: 'Shows the last of what a server wrote to stderr while it worked for a user.',
  arguments: [{ name: 'server', says: 'As the configuration names it.' }],
  options: {
    user: { value: 'user', says: 'For whom it worked. Not needed for a shared server, nor where there is one user.' },
    ...gateOptions,
  },
  examples: { 'logs github --user ada': 'why it does not start for ada' },
  async run({ arguments: { server }, options }, world) {
    const client = await createClient(options, world)
    const text = await client.read({ method: 'GET', path: ['logs', server], query: { user: options.user } })
    const print = createPrinter(world)
    if (options.json) return print.json({ server, log: text })
    if (text === '') print.note(`${server} has written nothing to stderr.`)
    else print.raw(text.endsWith('\n') ? text : `${text}\n`)
  },
})
