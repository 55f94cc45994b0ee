import { mkdirSync } from 'node:fs'
import { readArguments } from './lib/arguments.ts'
import { packGateway } from './lib/package.ts'

const HELP = `Writes the published package, sekisho-<version>.tgz.

  npm run pack [-- directory]

  directory   where to (default artifacts)
  --help      this text`

const [directory = 'artifacts'] = readArguments(HELP, { allowPositionals: true }).positionals
mkdirSync(directory, { recursive: true })
console.log(await packGateway(directory))
