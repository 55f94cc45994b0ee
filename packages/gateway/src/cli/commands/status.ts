import { Status } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showDuration, showTime, type Printer } from '../print.ts'
import { printServers } from '../servers.ts'

export const status = command({
  name: 'status',
  does: 'Says what runs: the gate, its servers, and their processes.',
  arguments: [],
  options: gateOptions,
  examples: {
    status: 'the gate of the data directory',
    'status --url https://gate.example.com --key-file key.txt': 'another, with an API key of scope admin',
  },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const answer = await client.ask({ method: 'GET', path: ['status'] }, Status)
    const print = createPrinter(world)
    if (options.json) print.json(answer)
    else printStatus(answer, print)
  },
})

function printStatus({ version, url, uptimeSeconds, servers, children }: Status, print: Printer): void {
  print.line(`Sekisho ${version} at ${url}/mcp, for ${showDuration(uptimeSeconds)}.`)
  print.line()
  printServers(print, servers, 'There are no servers.')
  print.line()
  print.table(
    ['PROCESS OF', 'USER', 'STATE', 'PID', 'SINCE (UTC)', 'IN FLIGHT', 'MEMORY', 'FAILURE'],
    children.map(toRow),
    'No server runs as a process now; they start when they are called.',
  )
}

function toRow({ server, user, state, pid, since, pending, rssMb, failure }: Status['children'][number]): string[] {
  const memory = rssMb === undefined ? '-' : `${Math.round(rssMb)} MB`
  return [
    server,
    user ?? '(shared)',
    state,
    String(pid ?? '-'),
    showTime(since),
    String(pending),
    memory,
    failure ?? '',
  ]
}
