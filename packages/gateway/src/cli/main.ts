#!/usr/bin/env node
import { startDirectoryOf } from '../base/data-directory.ts'
import { runCommandLine } from './program.ts'

// A reader that has seen enough, as in `sekisho … | head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  directory: startDirectoryOf(process.env),
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
})
