import { COMMAND } from './base/program.ts'
import type { Config } from './config/config.ts'
import type { Administrator, Gateway } from './gateway.ts'
import type { Playground } from './playground.ts'

interface Welcome {
  /** Who is let in, while no owner has a password. */
  readonly administrator: Administrator | undefined
  readonly config: Config
  /** There where there is no configuration file yet. */
  readonly playground: Pick<Playground, 'mal'> | undefined
}

/** To be read when the key was made, even if the start then fails: it is not made a second time. */
export function aboutRootKey({ created, place, because }: Gateway['rootKey']): string {
  if (!created) return ''
  return [
    `The root key of the vault was made, and is kept in ${place}${because === undefined ? '' : `: ${because}`}.`,
    'Keep a copy where the database is not: whoever loses it loses every stored credential. To make one, stop the gate:',
    `  ${COMMAND} root-key copy <file>\n\n`,
  ].join('\n')
}

/** What a person should read when the gate is up: where it is, and what to do next. */
export function welcome({ administrator, config, playground }: Welcome): string {
  const url = `${config.publicUrl}/mcp`
  const lines = [`Sekisho is open at ${url} with ${config.servers.map(({ id }) => id).join(', ') || 'no servers'}.`]
  if (administrator) lines.push('', ...aboutFirstLink(config, administrator))
  if (playground) lines.push('', ...aboutFirstRun(config.publicUrl, playground))
  return `${lines.join('\n')}\n`
}

/** What somebody does first who comes by a link. */
const FIRST = { password: 'Choose your password', provider: 'Come in, and link the account you will sign in with,' }

function aboutFirstLink({ publicUrl }: Config, { name, link, choosesPassword }: Administrator): string[] {
  const url = `${publicUrl}/mcp`
  return [
    `You are ${name}. ${FIRST[choosesPassword ? 'password' : 'provider']} with this link, which works once:`,
    '',
    `  ${link.reveal()}`,
    '',
    'Add the gate to a client; it opens your browser for you to sign in:',
    `  Claude Code   claude mcp add --transport http sekisho ${url}    then /mcp in a session`,
    '  In mcp.json   of VS Code under "servers", of Cursor and others under "mcpServers":',
    `    "sekisho": { "type": "http", "url": "${url}" }`,
    '',
    `Others are invited with a link of their own:  ${COMMAND} user invite ada`,
  ]
}

function aboutFirstRun(publicUrl: string, { mal }: Pick<Playground, 'mal'>): string[] {
  return [
    'There is no sekisho.jsonc yet, so demonstration servers run, with no account anywhere. MyAnimeList among them is',
    `an emulation at ${mal.url}, where users mika, haru and others have their lists. Connect one:  ${publicUrl}/account`,
    `Write your own servers into sekisho.jsonc (docs/configuration.md); check it with  ${COMMAND} check`,
  ]
}
