import type { Config } from './config/config.ts'
import type { Administrator, Gateway } from './gateway.ts'

interface Welcome {
  readonly rootKey: Gateway['rootKey']
  /** Made just now, at the first start. */
  readonly administrator: Administrator | undefined
  readonly config: Config
  /** Whether there is no configuration file yet. */
  readonly firstRun: boolean
  readonly port: number
}

/** What a person should read when the gate is up: where it is, and what to do next. */
export function welcome({ rootKey, administrator, config, firstRun, port }: Welcome): string {
  const url = `${config.publicUrl.replace(/:0$/, `:${port}`)}/mcp`
  const lines = [`Sekisho is open at ${url} with ${config.servers.map(({ id }) => id).join(', ') || 'no servers'}.`]
  if (rootKey.created) lines.push('', ...aboutRootKey(rootKey.place))
  if (administrator) lines.push('', ...aboutFirstKey(url, administrator.name, administrator.key.reveal()))
  if (firstRun) lines.push('', ...aboutFirstRun())
  return `${lines.join('\n')}\n`
}

function aboutRootKey(place: string): string[] {
  return [
    `The root key of the vault was made at ${place}.`,
    'Keep a copy where the database is not: whoever loses it loses every stored credential.',
  ]
}

function aboutFirstKey(url: string, name: string, key: string): string[] {
  return [
    `You are ${name}. Your API key, shown this once:`,
    '',
    `  ${key}`,
    '',
    'Add the gate to a client:',
    `  Claude Code   claude mcp add --transport http sekisho ${url} --header "Authorization: Bearer ${key}"`,
    '  VS Code, Cursor and others, in their mcp.json:',
    `    "sekisho": { "type": "http", "url": "${url}", "headers": { "Authorization": "Bearer ${key}" } }`,
    '',
    'Others get a key of their own:  npm run sekisho -- user add ada && npm run sekisho -- key add ada',
  ]
}

function aboutFirstRun(): string[] {
  return [
    'There is no sekisho.jsonc yet, so demonstration servers run, with no account anywhere. One of them wants a',
    'token of yours:  echo my-demo-token | npm run sekisho -- token set reference --user admin',
    'Write your own servers into sekisho.jsonc (docs/configuration.md); check it with  npm run sekisho -- check',
  ]
}
