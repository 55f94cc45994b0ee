import { parseArgs } from 'node:util'
import { startEverything } from './http.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['PORT'] ?? '3001' },
    host: { type: 'string', default: '127.0.0.1' },
    'allow-host': { type: 'string', multiple: true, default: [] },
  },
})

const everything = await startEverything({
  port: Number(values.port),
  host: values.host,
  allowedHosts: values['allow-host'],
})
console.log(`everything on ${everything.url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void everything.close())
