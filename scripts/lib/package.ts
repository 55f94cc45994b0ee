import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { shrinkwrap } from './shrinkwrap.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

/** The packages whose compiled files travel with the gateway's: nobody installs them by themselves. */
const inside = ['kit', 'mal', 'playground']
const besides = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'docs']

type Entries = Readonly<Record<string, string>>

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies: Entries
  readonly exports: Entries
  readonly imports?: Entries
  readonly bin?: Entries
  readonly private?: boolean
  readonly devDependencies?: Entries
}

/**
 * Packs the gateway as it is published: JavaScript (Node runs no TypeScript below `node_modules`), with the built-in
 * server, what it is built on and the playground inside, and with the lock of everything else.
 *
 * @returns the path of the tarball, in `directory`
 * @throws {Error} with what the compiler or npm wrote
 */
export async function packGateway(directory: string): Promise<string> {
  const stage = await mkdtemp(join(tmpdir(), 'sekisho-pack-'))
  try {
    await stagePackage(stage)
    const args = ['pack', stage, '--json', '--ignore-scripts', '--loglevel=error']
    const { stdout } = await run('npm', [...args, '--pack-destination', resolve(directory)])
    const [{ filename }] = JSON.parse(stdout)
    return join(resolve(directory), filename)
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

/** Lays out what the tarball holds. */
async function stagePackage(stage: string): Promise<void> {
  const compiled = join(stage, 'compiled')
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', compiled])
  for (const name of ['gateway', ...inside]) await rename(join(compiled, name, 'src'), join(stage, directoryOf(name)))
  await rm(compiled, { recursive: true })

  const manifest = await publishedManifest()
  const { packages } = await readJson('package-lock.json')
  await writeJson(join(stage, 'package.json'), manifest)
  await writeJson(join(stage, 'npm-shrinkwrap.json'), shrinkwrap(packages, 'packages/gateway', manifest))
  for (const name of besides) await cp(join(root, name), join(stage, name), { recursive: true })
}

function directoryOf(name: string): string {
  return name === 'gateway' ? 'dist' : `dist-${name}`
}

/** The gateway's manifest, whose entries are the compiled files, and which depends on what those inside depend on. */
async function publishedManifest() {
  const { private: _, devDependencies: __, ...manifest }: Manifest = await readJson('packages/gateway/package.json')
  const others: Manifest[] = await Promise.all(inside.map((name) => readJson(`packages/${name}/package.json`)))
  const files = ['gateway', ...inside].map(directoryOf)
  const names = new Set(others.map(({ name }) => name))
  const entries = new Map(others.flatMap((other, place) => entriesOf(other, directoryOf(inside[place] ?? ''))))
  const dependencies = [...others, manifest].flatMap((each) => Object.entries(each.dependencies))
  return {
    ...manifest,
    bin: mapValues(manifest.bin, (file) => compiledAt(file, directoryOf('gateway'))),
    exports: mapValues(manifest.exports, (file) => compiledAt(file, directoryOf('gateway'))),
    imports: mapValues(merged(manifest, ...others), (entry) => entries.get(entry) ?? entry),
    dependencies: Object.fromEntries(dependencies.filter(([name]) => !names.has(name))),
    files: [...files, 'npm-shrinkwrap.json', ...besides],
  }
}

/** What any of them imports by a name of its own: compiled, they are one package. */
function merged(...manifests: readonly Manifest[]): Entries {
  return Object.assign({}, ...manifests.map(({ imports }) => imports))
}

/** What other packages import of one, and the compiled file that it is. */
function entriesOf({ name, exports }: Manifest, directory: string) {
  return Object.entries(exports).map(
    ([entry, file]) => [entry.replace('.', name), compiledAt(file, directory)] as const,
  )
}

function compiledAt(file: string, directory: string): string {
  return file.replace('./src/', `./${directory}/`).replace(/\.ts$/, '.js')
}

function mapValues(entries: Entries = {}, change: (value: string) => string): Entries {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value)]))
}

async function readJson(path: string) {
  return JSON.parse(await readFile(join(root, path), 'utf8'))
}

function writeJson(path: string, content: object): Promise<void> {
  return writeFile(path, `${JSON.stringify(content, undefined, 2)}\n`)
}
