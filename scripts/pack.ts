/** `npm run pack`: writes the published package to `artifacts/sekisho-<version>.tgz`, or to the directory that is named. */
import { mkdirSync } from 'node:fs'
import { packGateway } from './lib/package.ts'

const directory = process.argv[2] ?? 'artifacts'
mkdirSync(directory, { recursive: true })
console.log(await packGateway(directory))
