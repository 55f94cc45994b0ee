import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { World } from './world.ts'

type Terminal = Pick<World, 'input' | 'errors'>

/**
 * Takes a secret from standard input: typed unseen on a terminal, or piped in, where the line break at its end
 * does not count.
 *
 * @throws {Problem} `cli.token_missing`, `request.cancelled` after Ctrl-C
 */
export async function readSecret(prompt: string, terminal: Terminal): Promise<Secret> {
  const text = terminal.input.isTTY === true ? await readTyped(prompt, terminal) : await readPiped(terminal)
  if (text === '') throw problem('cli.token_missing')
  return secret(text)
}

async function readPiped({ input }: Terminal): Promise<string> {
  let text = ''
  for await (const chunk of input) text += String(chunk)
  return text.replace(/\r?\n$/, '')
}

async function readTyped(prompt: string, { input, errors }: Terminal): Promise<string> {
  // In this order: what is typed as soon as the prompt is seen must not be shown.
  input.setRawMode?.(true)
  errors.write(prompt)
  try {
    let text = ''
    for await (const chunk of input) {
      for (const character of String(chunk)) {
        if (ENDS.has(character)) return text
        if (character === CTRL_C) throw problem('request.cancelled')
        text = ERASES.has(character) ? text.slice(0, -1) : text + character
      }
    }
    return text
  } finally {
    input.setRawMode?.(false)
    errors.write('\n')
  }
}

const CTRL_C = '\u0003'
const ENDS = new Set(['\r', '\n', '\u0004'])
const ERASES = new Set(['\u007f', '\b'])
