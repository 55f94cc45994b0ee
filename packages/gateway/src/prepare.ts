import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dataDirectoryOf, makeDataDirectory, startDirectoryOf } from './base/data-directory.ts'
import { BUILTINS } from './config/builtins.ts'
import type { Config } from './config/config.ts'
import { findConfigFile, requireConfig } from './config/load.ts'
import { firstRunConfig } from './first-run.ts'
import { findFreePort } from './http/serve.ts'
import { openPlayground } from './playground.ts'
import { shippedDefinitions } from './providers/definitions.ts'

/** What the configuration is read from, beside the environment. */
export interface Source {
  /** In place of the file. */
  readonly text: string | undefined
  readonly variables: Readonly<Record<string, string>>
}

/**
 * Reads the configuration the gate runs with and, where there is no file yet, opens what its first run is shown with.
 * `variables` stand before the environment.
 *
 * @throws {Problem} `config.invalid`, `storage.unusable`, `gate.port_taken`
 */
export async function prepare(variables: Readonly<Record<string, string>>) {
  const firstRun = !existsSync(configFile()) && process.env['SEKISHO_CONFIG'] === undefined
  if (!firstRun) {
    const source: Source = { text: undefined, variables }
    const loaded = await withPort(read(source))
    makeDataDirectory(loaded.config.dataDirectory)
    return { ...loaded, source, playground: undefined }
  }

  const { config } = await withPort(read({ text: '{}', variables }))
  const { port } = config.listen
  const dataDirectory = dataDirectoryOf(process.env)
  makeDataDirectory(dataDirectory)
  const playground = await openPlayground({
    redirectUri: `${config.publicUrl}/callback`,
    directory: join(dataDirectory, 'playground'),
    port: port + 1,
  })
  const source: Source = {
    text: firstRunConfig(dataDirectory, playground),
    variables: { ...variables, ...playground.environment },
  }
  const { warnings, ...own } = read(source)
  return { config: at(port, own.config), warnings, source, playground }
}
export type Prepared = Awaited<ReturnType<typeof prepare>>

/** Reads the same again, in another process. */
export function prepareAgain(source: Source, port: number): Config {
  return at(port, read(source).config)
}

function configFile(): string {
  return findConfigFile({ environment: process.env, directory: startDirectoryOf(process.env) })
}

function read({ text, variables }: Source) {
  const environment = { ...process.env, ...variables }
  const known = { builtins: BUILTINS, definitions: shippedDefinitions }
  return requireConfig({ file: configFile(), text, environment, dataDirectory: dataDirectoryOf(process.env), ...known })
}

/** Where the system shall choose the port it does so now: the gate must know its own address before it opens. */
async function withPort<L extends { readonly config: Config }>(loaded: L): Promise<L> {
  const { port } = loaded.config.listen
  return port === 0 ? { ...loaded, config: at(await findFreePort(loaded.config.listen.host), loaded.config) } : loaded
}

function at(port: number, config: Config): Config {
  const publicUrl = config.publicUrl.replace(/:0$/, `:${port}`)
  return { ...config, publicUrl, listen: { ...config.listen, port } }
}
