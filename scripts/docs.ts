import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cliPage } from './docs/cli.ts'
import { configPage, configSchema, environmentPage } from './docs/config.ts'
import { errorsPage } from './docs/errors.ts'
import { eventsPage } from './docs/events.ts'
import { limitsPage } from './docs/limits.ts'
import { listQueriesPage } from './docs/list-queries.ts'
import { malReadme } from './docs/mal.ts'
import { metricsPage } from './docs/metrics.ts'
import { providersPage } from './docs/providers.ts'
import { roomsPage } from './docs/rooms.ts'
import { routesPage } from './docs/routes.ts'
import { threatModel } from './docs/threats.ts'
import { readArguments } from './lib/arguments.ts'
import { findStaleMutants } from './lib/attack-mutants.ts'
import { findStaleAttacks, readAttacks } from './lib/attacks.ts'

const folder = join(import.meta.dirname, '../docs/generated')

/** One page for each row; the text is made of nothing but the tables of the source. */
const pages: Readonly<Record<string, () => string>> = {
  'cli.md': cliPage,
  'config.md': configPage,
  'environment.md': environmentPage,
  'errors.md': errorsPage,
  'events.md': eventsPage,
  'limits.md': limitsPage,
  'list-queries.md': listQueriesPage,
  'metrics.md': metricsPage,
  'providers.md': providersPage,
  'rooms.md': roomsPage,
  'routes.md': routesPage,
  'sekisho.schema.json': configSchema,
}

/** Pages of which a part is written here: each row puts it where its marks are. */
const parts: Readonly<Record<string, (page: string) => string>> = {
  'docs/threat-model.md': threatModel,
  'packages/mal/README.md': malReadme,
}

const HELP = `Writes the reference pages in docs/generated from the tables they describe, the attacks into the threat model, and the
tools of the MyAnimeList server into its README.

  npm run docs [-- options]

  --check   writes nothing, names the pages that are stale and exits with 1; an attack whose test is gone is as bad
  --help    this text`

const { values } = readArguments(HELP, { options: { check: { type: 'boolean' } } })
const stale = values.check === true ? findStale() : writeAll()
for (const name of stale) console.error(`${name} is stale: run npm run docs`)
const unfit = [...findStaleAttacks(readAttacks()), ...(await findStaleMutants())]
for (const trouble of unfit) console.error(trouble)
process.exitCode = stale.length + unfit.length > 0 ? 1 : 0

function findStale(): string[] {
  const changed = Object.entries(pages).filter(([name, write]) => read(name) !== write())
  const generated = [...changed.map(([name]) => name), ...findStrays()].map((name) => `docs/generated/${name}`)
  const partly = Object.entries(parts).filter(([path, write]) => write(readPage(path)) !== readPage(path))
  return [...generated, ...partly.map(([path]) => path)]
}

function writeAll(): string[] {
  mkdirSync(folder, { recursive: true })
  for (const stray of findStrays()) rmSync(join(folder, stray))
  for (const [name, write] of Object.entries(pages)) writeFileSync(join(folder, name), write())
  for (const [path, write] of Object.entries(parts)) writeFileSync(inRoot(path), write(readPage(path)))
  return []
}

function readPage(path: string): string {
  return readFileSync(inRoot(path), 'utf8')
}

function inRoot(path: string): string {
  return join(import.meta.dirname, '..', path)
}

/** Pages whose row is gone. */
function findStrays(): string[] {
  return readdirSync(folder).filter((name) => !Object.hasOwn(pages, name) && !name.startsWith('.'))
}

function read(name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8')
  } catch {
    return undefined
  }
}
