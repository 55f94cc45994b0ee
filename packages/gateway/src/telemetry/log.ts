import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Log } from '../base/log.ts'
import { viewOf } from './error-view.ts'

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** `auto`: readable in a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'text'
}

/** Names that hold a secret wherever they stand, as a last net under the type `Secret`. */
const NEVER = ['authorization', 'token', 'key', 'password', 'secret'].flatMap((name) => [name, `*.${name}`])

/**
 * Opens the log: one line of JSON per event on standard error, or readable lines in a terminal. An error
 * under `error` is written with its causes.
 */
export async function openLog({ level, format }: LogSettings): Promise<Log> {
  const readable = format === 'text' || (format === 'auto' && process.stderr.isTTY)
  const options = {
    level,
    base: null,
    redact: { paths: NEVER, censor: '[secret]' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: (error: unknown) => viewOf(error), err: (error: unknown) => viewOf(error) },
  }
  const log: Log = pino(options, await destination(readable))
  return log
}

async function destination(readable: boolean) {
  const stderr = pino.destination({ dest: 2, sync: true })
  const plain = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      stderr.write(escapeOdd(line))
      done()
    },
  })
  if (!readable) return plain
  const { default: pretty } = await import('pino-pretty')
  return pretty({ colorize: process.stderr.isTTY, destination: plain, sync: true, translateTime: 'HH:MM:ss' })
}

/**
 * JSON escapes what a terminal obeys below U+0020 alone. Others stand above it, and what ends a line or turns the
 * direction of writing around: names that a server chose come into the log.
 */
function escapeOdd(line: string): string {
  return line.replace(ODD, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const ODD = /[\u007f-\u009f\u2028\u2029]|\p{Bidi_Control}/gu
