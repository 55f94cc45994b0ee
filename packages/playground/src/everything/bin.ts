import { readOptions, stop } from '../arguments.ts'
import { startEverything, type Eras } from './http.ts'
import { serveEverythingStdio } from './stdio.ts'

const HELP = `An MCP server that has everything the protocol has, to try a gate or a client with.

Usage: bin.ts [options]

  --port 3001          where it listens (PORT); 0 is any that is free
  --host 127.0.0.1     the address it binds
  --allow-host <name>  another host that requests may name; may be given several times
  --stdio              speaks over standard input and output instead
  --era both           the revisions it speaks: legacy, modern or both
  --help               shows this text
`

const options = readOptions(HELP, {
  port: { type: 'string', default: process.env['PORT'] ?? '3001' },
  host: { type: 'string', default: '127.0.0.1' },
  'allow-host': { type: 'string', multiple: true, default: [] },
  stdio: { type: 'boolean', default: false },
  era: { type: 'string', default: 'both' },
})

const server = await (options.stdio ? serveEverythingStdio(readEra(options.era)) : listen()).catch(stop)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())

async function listen() {
  const everything = await startEverything({
    port: Number(options.port),
    host: options.host,
    allowedHosts: options['allow-host'],
    era: readEra(options.era),
  })
  console.log(`everything on ${everything.url}`)
  return everything
}

function readEra(value: string): Eras {
  if (value === 'legacy' || value === 'modern' || value === 'both') return value
  return stop(`--era is legacy, modern or both, not ${value}`)
}
