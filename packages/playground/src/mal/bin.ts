import { parseArgs } from 'node:util'
import { createMalEmulator } from './emulator.ts'
import { defaultClients } from './options.ts'
import { users } from './users.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['PORT'] ?? '3002' },
    host: { type: 'string', default: '127.0.0.1' },
    seed: { type: 'string', default: '1' },
    redirect: { type: 'string', multiple: true, default: ['http://localhost:7354/callback'] },
    control: { type: 'boolean', default: false },
  },
})

const mal = createMalEmulator({
  seed: Number(values.seed),
  host: values.host,
  control: values.control,
  clients: defaultClients(values.redirect),
})
const { url } = await mal.listen(Number(values.port))

console.log(`MyAnimeList, emulated, on ${url}
  API            ${url}/v2
  authorize      ${url}/v1/oauth2/authorize
  token          ${url}/v1/oauth2/token
  account page   ${url}/profile/apps${values.control ? `\n  control        ${url}/_control` : ''}`)
for (const { name, id, secret } of mal.clients) {
  console.log(`\n${name}\n  client id      ${id}\n  client secret  ${secret ?? 'none, it is a public application'}`)
}
console.log(`\nredirect URIs    ${values.redirect.join('\n                 ')}\n`)
for (const { name, password, about } of users) console.log(`${name.padEnd(10)} ${password.padEnd(20)} ${about}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void mal.close())
