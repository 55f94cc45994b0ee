import { styleText } from 'node:util'
import type { Problem } from '../base/problem.ts'
import type { Output } from '../base/terminal.ts'
import type { World } from './world.ts'

type Environment = World['environment']

/** Writes for people: bold headings and colours on a terminal that wants them, plain text elsewhere. */
export function createPrinter({ output, errors, environment }: Pick<World, 'output' | 'errors' | 'environment'>) {
  return {
    line: (text = '') => void output.write(`${text}\n`),

    /** The answer for a program, and nothing else. */
    json: (value: unknown) => void output.write(`${JSON.stringify(value, undefined, 2)}\n`),

    /** Rows below headings, as wide as they need to be; or a sentence where there are none. */
    table(headings: readonly string[], rows: readonly (readonly string[])[], none: string): void {
      const lines = rows.length === 0 ? [none] : layOut(headings, rows)
      const [heading = '', ...rest] = lines
      const first = rows.length === 0 ? heading : styled('bold', heading, output, environment)
      output.write(`${[first, ...rest].join('\n')}\n`)
    },

    /** Text of somebody else's, as it is; a terminal is not handed what could steer it. */
    raw: (text: string) => void output.write(output.isTTY === true ? tame(text) : text),

    /** What a person should know beside the answer. */
    note: (text: string) => void errors.write(`${tame(text)}\n`),

    failure({ message, fix }: Pick<Problem, 'message' | 'fix'>): void {
      errors.write(`${styled('red', tame(message), errors, environment)}\n${tame(fix)}\n`)
    },
  }
}
export type Printer = ReturnType<typeof createPrinter>

/** @see https://no-color.org */
function styled(style: 'bold' | 'red', text: string, { isTTY }: Output, environment: Environment): string {
  return isTTY === true && !environment['NO_COLOR'] ? styleText(style, text, { validateStream: false }) : text
}

function layOut(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [headings, ...rows].map((row) => row.map((cell) => tame(cell).replace(/\s+/g, ' ')))
  const widths = headings.map((_heading, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/**
 * Takes out what a terminal obeys: control characters but for line breaks and tabs, and what turns the direction of
 * writing around.
 */
function tame(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|\p{Bidi_Control}/gu, '')
}

/** `2026-03-01 12:30`, in UTC, for columns. */
export function showTime(iso: string | null, none = '-'): string {
  return iso === null ? none : iso.slice(0, 16).replace('T', ' ')
}

/** `3 d 4 h`, `12 min`, `40 s`: the two greatest units at most. */
export function showDuration(seconds: number): string {
  const parts = UNITS.map(([size, unit, within]) => [Math.floor((seconds % within) / size), unit] as const)
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 s'
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0)
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
}

const UNITS = [
  [86_400, 'd', Infinity],
  [3_600, 'h', 86_400],
  [60, 'min', 3_600],
  [1, 's', 60],
] as const
