import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readArguments } from './lib/arguments.ts'
import { findings, type InstalledPackage } from './lib/supply.ts'

const HELP = `What is installed with us. Says which package has a licence that is not allowed, which would run a program when it is
installed, and where the lock file leaves open what is installed. Writes what there is to artifacts/sbom.cdx.json
(CycloneDX). Works without a network.

  npm run supply

It takes no options.`

readArguments(HELP, {})

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const found = findings(packages, readInstalled)
for (const line of found) console.log(line)

mkdirSync('artifacts', { recursive: true })
const sbom = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']
writeFileSync(
  'artifacts/sbom.cdx.json',
  execFileSync('npm', sbom, { maxBuffer: 64_000_000, stdio: ['ignore', 'pipe', 'ignore'] }),
)

console.log(`${Object.keys(packages).length} packages, ${found.length} findings; artifacts/sbom.cdx.json lists them`)
process.exitCode = found.length > 0 ? 1 : 0

/** The manifest of a package; nothing where it is for another system and not installed. */
function readInstalled(path: string): InstalledPackage | undefined {
  if (!existsSync(`${path}/package.json`)) return undefined
  const { license, scripts, gypfile } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'))
  const buildsNatively = existsSync(`${path}/binding.gyp`) && gypfile !== false
  return { license, scripts, buildsNatively }
}
