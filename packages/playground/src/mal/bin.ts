import { readOptions, stop } from '../arguments.ts'
import { createMalEmulator } from './emulator.ts'
import { defaultClients, type MalClient } from './options.ts'
import { findUser, users } from './users.ts'

const HELP = `MyAnimeList, emulated: everything is invented and in memory.

Usage: bin.ts [options]

  --port 3002          where it listens (PORT); 0 is any that is free
  --host 127.0.0.1     the address it binds
  --redirect <URI>     where applications take their codes; may be given several times
  --token <user>       prints an access token of this user last, as if they had just signed in
  --seed 1             decides the catalogue and every list
  --control            opens /_control, by which tests turn its settings
  --help               shows this text

Users: ${users.map(({ name, about }) => `${name} (${about})`).join('; ')}.
`

const options = readOptions(HELP, {
  port: { type: 'string', default: process.env['PORT'] ?? '3002' },
  host: { type: 'string', default: '127.0.0.1' },
  seed: { type: 'string', default: '1' },
  redirect: { type: 'string', multiple: true, default: ['http://localhost:7354/callback'] },
  token: { type: 'string' },
  control: { type: 'boolean', default: false },
})
const holder = options.token === undefined ? undefined : findUser(options.token)
if (options.token !== undefined && holder === undefined) stop(`there is no user ${options.token}`)

const mal = createMalEmulator({
  seed: Number(options.seed),
  host: options.host,
  control: options.control,
  clients: defaultClients(options.redirect),
})
const { url } = await mal.listen(Number(options.port)).catch(stop)
introduce(mal.clients, { url, ...options })
if (holder) console.log(`\naccess token of ${holder.name}:\n${mal.issueTokens(holder.name).accessToken}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void mal.close())

function introduce(
  clients: readonly MalClient[],
  { url, control, redirect }: { url: string; control: boolean; redirect: readonly string[] },
): void {
  console.log(`MyAnimeList, emulated, on ${url}
  API            ${url}/v2
  authorize      ${url}/v1/oauth2/authorize
  token          ${url}/v1/oauth2/token
  account page   ${url}/profile/apps${control ? `\n  control        ${url}/_control` : ''}`)
  for (const { name, id, secret } of clients) {
    console.log(`\n${name}\n  client id      ${id}\n  client secret  ${secret ?? 'none, it is a public application'}`)
  }
  console.log(`\nredirect URIs    ${redirect.join('\n                 ')}\n`)
  for (const { name, password, about } of users) console.log(`${name.padEnd(10)} ${password.padEnd(20)} ${about}`)
}
