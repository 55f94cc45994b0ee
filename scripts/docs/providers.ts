import { describeProviders } from '../../packages/gateway/src/providers/definitions.ts'
import { code, heading, table } from './markdown.ts'

/** The providers that come with the gate, and every key of a definition. */
export function providersPage(): string {
  const { keys, definitions } = describeProviders()
  const intro =
    'An OAuth provider is described by data. These come with the gate and want a client id (and secret) of yours; any ' +
    'key can be replaced in `providers` of the configuration, and an id that is not here can be described there in ' +
    'full. See [providers.md](../providers.md).'
  return [
    heading('Providers', intro),
    ...definitions.map((definition) => {
      const { id, name, help, docs, ...rest } = definition
      const rows = Object.entries(rest).map(([key, value]) => [code(key), code(JSON.stringify(value))])
      const where = help === undefined ? '' : `Register at <${help.url}>. ${help.steps}\n\n`
      return `## ${id}\n\n${name}. ${where}${docs === undefined ? '' : `Documentation: <${docs}>\n\n`}${table(['Key', 'Value'], rows)}\n`
    }),
    '## Keys of a definition\n\n',
    table(
      ['Key', 'Meaning'],
      Object.entries(keys).map(([key, meaning]) => [code(key), meaning]),
    ),
  ].join('')
}
