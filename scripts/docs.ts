/**
 * Writes the reference pages in docs/generated/ from the tables they describe. With `--check` it writes
 * nothing, names the pages that are stale and exits with 1.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cliPage } from './docs/cli.ts'
import { configPage, configSchema, environmentPage } from './docs/config.ts'
import { errorsPage } from './docs/errors.ts'
import { eventsPage } from './docs/events.ts'
import { metricsPage } from './docs/metrics.ts'
import { providersPage } from './docs/providers.ts'
import { roomsPage } from './docs/rooms.ts'
import { routesPage } from './docs/routes.ts'

const folder = join(import.meta.dirname, '../docs/generated')

/** One page for each row; the text is made of nothing but the tables of the source. */
const pages: Readonly<Record<string, () => string>> = {
  'cli.md': cliPage,
  'config.md': configPage,
  'environment.md': environmentPage,
  'errors.md': errorsPage,
  'events.md': eventsPage,
  'metrics.md': metricsPage,
  'providers.md': providersPage,
  'rooms.md': roomsPage,
  'routes.md': routesPage,
  'sekisho.schema.json': configSchema,
}

const stale = process.argv.includes('--check') ? findStale() : writeAll()
for (const name of stale) console.error(`docs/generated/${name} is stale: run npm run docs`)
process.exitCode = stale.length > 0 ? 1 : 0

function findStale(): string[] {
  const changed = Object.entries(pages).filter(([name, write]) => read(name) !== write())
  return [...changed.map(([name]) => name), ...findStrays()]
}

function writeAll(): string[] {
  mkdirSync(folder, { recursive: true })
  for (const stray of findStrays()) rmSync(join(folder, stray))
  for (const [name, write] of Object.entries(pages)) writeFileSync(join(folder, name), write())
  return []
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
