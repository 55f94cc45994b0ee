import { secret } from '../base/secret.ts'
import type { Template } from '../base/template.ts'
import type { ClientConfig } from './config.ts'
import type { Environment } from './environment.ts'
import { LITERAL } from './literals.ts'
import type { Path, Report, Trouble } from './report.ts'
import { fromEnvironment, isFields, readValue, type Fields } from './values.ts'

/** The values of one server that were right. */
export interface Templates {
  readonly args: readonly Template[]
  readonly env: Readonly<Record<string, Template>>
  readonly headers: Readonly<Record<string, Template>>
  readonly url: Template | undefined
  /** What the server's own authorization server calls this gate. */
  readonly client: ClientConfig | undefined
}

/** What a value is read with. */
export interface TemplateNeeds {
  readonly environment: Environment
  readonly report: Report
}

/**
 * Turns the values of a server into templates: `$env` is resolved here, once, and what it gave is never
 * expanded again. Values whose shape is wrong are passed over; the schema reports them.
 */
export function readTemplates(server: Fields, path: Path, needs: TemplateNeeds): Templates {
  const read = (value: unknown, at: Path, check: Check) => readTemplate(value, at, check, needs)
  const args = Array.isArray(server['args']) ? server['args'] : []
  return {
    args: args
      .map((value, index) => read(value, [...path, 'args', index], checkChildText))
      .filter((arg) => arg !== undefined),
    env: readRecord(server['env'], [...path, 'env'], (value, at) => {
      return rejected(checkVariableName(at), at, needs) ? undefined : read(value, at, checkChildText)
    }),
    headers: readRecord(server['headers'], [...path, 'headers'], (value, at) => {
      return rejected(checkHeaderName(at), at, needs) ? undefined : read(value, at, checkHeader)
    }),
    client: isFields(server['oauth']) ? readClient(server['oauth'], [...path, 'oauth'], needs) : undefined,
    url: server['url'] === undefined ? undefined : read(server['url'], [...path, 'url'], checkUrl),
  }
}

/** Reads what an authorization server calls this gate, from the file or the environment. */
export function readClient(entry: Fields, path: Path, needs: TemplateNeeds): ClientConfig {
  const read = (key: string) => {
    const value = entry[key] === undefined ? undefined : readTemplate(entry[key], [...path, key], checkText, needs)
    return value?.kind === 'text' ? value.text : undefined
  }
  const [clientId, clientSecret] = [read('clientId'), read('clientSecret')]
  if (typeof entry['clientSecret'] === 'string') needs.report.warning([...path, 'clientSecret'], LITERAL)
  return { clientId, clientSecret: clientSecret === undefined ? undefined : secret(clientSecret) }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#appendix-A.1 RFC 6749, appendix A} */
const checkText: Check = (template) =>
  template.kind !== 'text' || /^[\x20-\x7e]+$/.test(template.text)
    ? undefined
    : { reason: 'is empty, or holds characters that no client id and no secret has', fix: 'Copy it once more' }

/** What is wrong with a value where it stands, if anything. Its words hold nothing of the value. */
type Check = (template: Template) => Trouble | undefined

function readTemplate(raw: unknown, path: Path, check: Check, needs: TemplateNeeds): Template | undefined {
  const value = readValue(raw)
  if ('reason' in value) return undefined
  const template = value.kind === 'env' ? resolve(value.variable, path, needs) : value
  const trouble = template && check(template)
  if (trouble) needs.report.problem(path, trouble)
  return trouble ? undefined : template
}

function resolve(variable: string, path: Path, { environment, report }: TemplateNeeds): Template | undefined {
  const text = environment[variable]
  if (text) return fromEnvironment(variable, text)
  const reason = `the environment variable ${variable} is ${text === undefined ? 'not set' : 'empty'}`
  report.problem(path, { reason, fix: `Set ${variable} where the gate is started` })
  return undefined
}

function readRecord(
  raw: unknown,
  path: Path,
  read: (value: unknown, at: Path) => Template | undefined,
): Record<string, Template> {
  const templates: Record<string, Template> = {}
  for (const [name, value] of isFields(raw) ? Object.entries(raw) : []) {
    const template = read(value, [...path, name])
    if (template) templates[name] = template
  }
  return templates
}

function rejected(trouble: Trouble | undefined, path: Path, { report }: TemplateNeeds): boolean {
  if (trouble) report.problem(path, trouble, 'key')
  return trouble !== undefined
}

function checkVariableName(path: Path): Trouble | undefined {
  const name = String(path.at(-1))
  if (/^[^=\0]+$/.test(name) && name !== '__proto__') return undefined
  return { reason: 'is no name of a variable', fix: 'Write one without =' }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 RFC 9110 §5.6.2}, token */
function checkHeaderName(path: Path): Trouble | undefined {
  const name = String(path.at(-1)).toLowerCase()
  if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name) || name === '__proto__') {
    return { reason: 'is no name of a header', fix: 'Write letters, digits and - only' }
  }
  if (!OWN_HEADERS.has(name) && !name.startsWith('mcp-')) return undefined
  return { reason: 'is set by the gate itself', fix: 'Remove it' }
}

/** Headers that frame a message or belong to the protocol: another value would break it or smuggle a request. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function checkChildText(template: Template): Trouble | undefined {
  return fixedText(template).includes('\0') ? { reason: 'holds a NUL character', fix: 'Remove it' } : undefined
}

/** Header values are sent as Latin-1 without control characters (RFC 9110 §5.5). */
function checkHeader(template: Template): Trouble | undefined {
  const text = fixedText(template)
  if (hasControl(text)) return { reason: 'holds a control character, like a line break', fix: 'Remove it' }
  if (/[^\0-\u00ff]/.test(text))
    return { reason: 'holds characters that a header cannot carry', fix: 'Write ASCII only' }
  return undefined
}

/**
 * What differs from user to user may stand after the host only: in the host, whoever sets a token would
 * choose where the gate connects to, with the headers of its configuration.
 */
function checkUrl(template: Template): Trouble | undefined {
  const text = fixedText(template)
  if (hasControl(text)) return { reason: 'holds a control character, like a line break', fix: 'Remove it' }
  if (template.kind !== 'text' && !/^[a-z]+:\/\/[^/?#\\{]+[/?]/i.test(text)) return USER_CHOSEN
  const url = URL.parse(text.replaceAll(/\{\{(?:token|id)\}\}/g, 'x'))
  if (!url || !/^https?:\/\/[^/?#\\]/i.test(text)) return NOT_A_URL
  if (url.username || url.password) return { reason: 'holds a user name or password', fix: 'Send it in headers' }
  return url.hash || text.endsWith('#') ? { reason: 'holds a fragment (#)', fix: 'Remove it' } : undefined
}

const NOT_A_URL = { reason: 'is not an http or https address', fix: 'Write it like https://mcp.example.com/mcp' }
const USER_CHOSEN = {
  reason: 'would let a user choose the host',
  fix: 'Put what is filled in after the host, or into headers',
}

function fixedText(template: Template): string {
  return template.kind === 'text' ? template.text : template.pattern
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
