import { parseArgs } from 'node:util'
import { startEverything, type Eras } from './http.ts'
import { serveEverythingStdio } from './stdio.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['PORT'] ?? '3001' },
    host: { type: 'string', default: '127.0.0.1' },
    'allow-host': { type: 'string', multiple: true, default: [] },
    stdio: { type: 'boolean', default: false },
    era: { type: 'string', default: 'both' },
  },
})

const server = values.stdio ? await serveEverythingStdio(readEra(values.era)) : await listen()

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())

async function listen() {
  const everything = await startEverything({
    port: Number(values.port),
    host: values.host,
    allowedHosts: values['allow-host'],
    era: readEra(values.era),
  })
  console.log(`everything on ${everything.url}`)
  return everything
}

function readEra(value: string): Eras {
  if (value === 'legacy' || value === 'modern' || value === 'both') return value
  throw new Error(`--era is legacy, modern or both, not ${value}`)
}
