import { basename, posix } from 'node:path'
import { attackClasses, readAttacks, type Attack } from '../lib/attacks.ts'
import { table } from './markdown.ts'

const BEGIN = '<!-- attacks: written by `npm run docs` from packages/gateway/test/attacks/*/attacks.json -->'
const END = '<!-- end of attacks -->'

/**
 * The threat model with its tables of attacks as they are now; the rest of the page stays as it is written.
 *
 * @throws {Error} where the page has lost the marks between which they stand
 */
export function threatModel(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('docs/threat-model.md has no place for the attacks')
  const attacks = readAttacks()
  const sections = attackClasses().map((kind) => section(kind, attacks))
  return `${before}${BEGIN}\n\n${sections.join('\n')}\n${END}${after}`
}

/** What each class is about. */
const TITLES: Readonly<Record<string, string>> = {
  mcp: 'Between clients and servers: what only a gateway can get wrong',
  sessions: 'Sessions, of browsers and of MCP',
  people: 'Guessing who people are, and their passwords',
  input: 'What is written into fields',
  clients: 'Hostile clients',
  upstreams: 'Hostile servers',
  secrets: 'Where secrets do not belong',
  authserver: 'The authorization server',
}

function section(kind: string, attacks: readonly Attack[]): string {
  const rows = attacks.filter((attack) => attack.kind === kind)
  const cells = rows.map(({ attack, source, stops, test }) => [attack, source, stops, link(test)])
  return `### ${TITLES[kind] ?? kind}\n\n${table(['Attack', 'Source', 'What stops it', 'Test'], cells)}`
}

function link(test: string): string {
  return `[${basename(test, '.test.ts')}](${posix.join('../packages/gateway/test', test)})`
}
