import { relative, resolve } from 'node:path'
import { dataDirectoryOf } from '../../base/data-directory.ts'
import { BUILTINS } from '../../config/builtins.ts'
import type { Config, ServerConfig } from '../../config/config.ts'
import { findConfigFile, loadConfig } from '../../config/load.ts'
import type { ConfigProblem } from '../../config/report.ts'
import { linkOf } from '../../providers/link.ts'
import { shippedDefinitions } from '../../providers/definitions.ts'
import { findPlainText } from '../../vault/plain-text.ts'
import { command } from '../command.ts'
import { createPrinter, type Printer } from '../print.ts'
import { printServers } from '../servers.ts'

export const check = command({
  name: 'check',
  does: 'Reads the configuration and says everything that is wrong with it, and where secrets lie around in plain text. Starts nothing.',
  arguments: [{ name: 'file', optional: true, says: 'Default: SEKISHO_CONFIG, or sekisho.jsonc here.' }],
  options: { json: { says: 'Answer in JSON.' } },
  examples: {
    check: 'the file the gate would start with',
    'check other.jsonc --json': 'another file, for a program',
  },
  async run({ arguments: { file: named }, options }, world) {
    const { environment, directory } = world
    const file = named === undefined ? findConfigFile({ environment, directory }) : resolve(directory, named)
    const dataDirectory = dataDirectoryOf(environment)
    const shipped = { builtins: BUILTINS, definitions: shippedDefinitions }
    const loaded = loadConfig({ file, environment, dataDirectory, ...shipped })
    const plain = findPlainText({ dataDir: dataDirectory, directory, environment })
    const print = createPrinter(world)
    if (options.json)
      print.json({ ...loaded, ...(loaded.ok && { config: toSummary(loaded.config) }), plainText: plain })
    else {
      const place = relative(directory, file)
      for (const problem of loaded.ok ? [] : loaded.problems) print.line(toLine(problem, place))
      for (const warning of loaded.warnings) print.line(`warning: ${toLine(warning, place)}`)
      for (const { file: found, reason, fix } of plain) print.line(`warning: ${found} ${reason} — ${fix}`)
      if (loaded.ok) printSummary(loaded.config, place, print)
    }
    return loaded.ok ? 0 : 1
  },
})

function toLine({ source, line, column, path, reason, fix }: ConfigProblem, file: string): string {
  const place = source === 'environment' ? source : `${file}:${line}:${column}`
  return `${place} ${path === '' ? '' : `${path}: `}${reason} — ${fix}`
}

/** What may be told of a configuration: none of the values, which can be secrets. */
function toSummary({ publicUrl, servers, providers, disabledServers }: Config) {
  return { publicUrl, servers: servers.map((server) => toServer(server, providers)), disabledServers }
}

function toServer(server: ServerConfig, providers: Config['providers']) {
  const { id, kind, description, requiresUserToken, tokenSetup } = server
  const link = linkOf(server, providers)
  const needsToken = requiresUserToken && link === undefined
  return { id, kind, description, needsToken, service: tokenSetup?.name, provider: link?.name }
}

function printSummary(config: Config, place: string, print: Printer): void {
  const { publicUrl, servers, disabledServers } = toSummary(config)
  print.line(`${place} is right. The gate will be at ${publicUrl}/mcp.`)
  print.line()
  printServers(print, servers, 'It has no servers yet.')
  if (disabledServers.length > 0) print.line(`Disabled: ${disabledServers.join(', ')}.`)
}
