import { environmentTable } from '../../packages/gateway/src/config/environment.ts'
import { configJsonSchema } from '../../packages/gateway/src/config/schema.ts'
import { valueShape } from '../../packages/gateway/src/config/values.ts'
import { code, heading, table } from './markdown.ts'

type Schema = ReturnType<typeof configJsonSchema>

/** The JSON Schema of `sekisho.jsonc`, for editors. */
export function configSchema(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`
}

/** The reference page of `sekisho.jsonc`. */
export function configPage(): string {
  const schema = configJsonSchema()
  const intro =
    '`sekisho.jsonc` is JSON with comments and trailing commas. A key that is not listed here is refused, with what was ' +
    'probably meant. `sekisho check` tells everything that is wrong with a file at once. ' +
    'Variables that stand before the file are in [environment.md](environment.md).'
  const editors = 'For completion in an editor: `"$schema": "./docs/generated/sekisho.schema.json"`.'
  return heading('Configuration', intro, editors) + [...sections('', schema), valueSection()].join('\n')
}

/** What may stand wherever a table says `value`. */
function valueSection(): string {
  const example = {
    mcpServers: {
      notion: {
        command: 'notion-mcp-server',
        env: {
          API_BASE: 'https://api.notion.com',
          PROXY_KEY: { $env: 'PROXY_KEY' },
          NOTION_TOKEN: { $userToken: '{{token}}' },
        },
      },
      wiki: { url: 'https://wiki.example.com/mcp', headers: { Authorization: { $userToken: 'Bearer {{token}}' } } },
    },
  }
  return `## Values\n\n${valueShape.description}\n\n\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\`\n`
}

/** The keys of an object as one table, then each of its objects in a section of its own. */
function sections(path: string, schema: Schema): string[] {
  const keys = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    isSchema(value) ? [{ key, value }] : [],
  )
  const rows = keys.map(({ key, value }) => [code(key), typeOf(value), defaultOf(value), value.description ?? ''])
  const title = path === '' ? '## Top level' : `## \`${path}\`\n\n${schema.description ?? ''}`
  const inner = keys.flatMap(({ key, value }) => innerSections(path === '' ? key : `${path}.${key}`, value))
  return [`${title}\n\n${table(['Key', 'Type', 'Default', 'What it does'], rows)}`, ...inner]
}

function innerSections(path: string, schema: Schema): string[] {
  if (schema.properties) return sections(path, schema)
  const each = schema.additionalProperties
  return isSchema(each) && each.properties ? sections(`${path}.<name>`, each) : []
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((choice) => code(JSON.stringify(choice))).join(', ')
  if (schema.anyOf) return 'value'
  if (schema.type === 'array')
    return `list of ${isSchema(schema.items) && !Array.isArray(schema.items) ? typeOf(schema.items) : 'any'}`
  if (schema.type === 'object')
    return isSchema(schema.additionalProperties) ? recordOf(schema.additionalProperties) : 'object'
  return `${schema.type === 'string' ? 'text' : String(schema.type)}${rangeOf(schema)}`
}

function recordOf(each: Schema): string {
  return each.properties ? 'object by name' : `${typeOf(each)} by name`
}

function rangeOf({ minimum, maximum }: Schema): string {
  return minimum === undefined || maximum === undefined ? '' : ` ${minimum}–${maximum}`
}

function defaultOf({ default: value, properties }: Schema): string {
  return value === undefined || properties ? '' : code(JSON.stringify(value))
}

/** The reference page of the environment variables. */
export function environmentPage(): string {
  const rows = Object.entries<Row>(environmentTable).map(([name, { sets, secret, says }]) => [
    code(name),
    sets ? code(sets.join('.')) : '',
    `${says}${secret ? ' Never printed.' : ''}`,
  ])
  const intro =
    'These stand before the file and are checked as it is. One that is empty counts as not set. A file names others of its ' +
    'own with `{"$env": "NAME"}`, as in [config.md](config.md); those must be set, and not empty.'
  return heading('Environment', intro) + table(['Variable', 'Stands before', 'What it does'], rows)
}

interface Row {
  readonly sets?: readonly string[]
  readonly secret?: true
  readonly says: string
}
