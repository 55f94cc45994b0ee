import type { Readable, Writable } from 'node:stream'
import { problem } from './problem.ts'
import { secret, type Secret } from './secret.ts'

/** What is typed or piped in; a terminal can be told not to show what is typed. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** Where a person types, and is asked. */
export interface Terminal {
  readonly input: Input
  readonly errors: Output
}

/**
 * Takes a secret from standard input: typed unseen on a terminal, or piped in, where the line break at its end
 * does not count.
 *
 * @throws {Problem} `cli.token_missing`, `request.cancelled` after Ctrl-C
 */
export async function readSecret(prompt: string, terminal: Terminal): Promise<Secret> {
  const [text = ''] = terminal.input.isTTY === true ? await readTyped([prompt], terminal) : [await readPiped(terminal)]
  if (text === '') throw problem('cli.token_missing')
  return secret(text)
}

/**
 * Takes a secret that is chosen now, and typed twice on a terminal: what was mistyped opens nothing later.
 *
 * @throws {Problem} `vault.passphrase_differs`, as {@link readSecret}
 */
export async function chooseSecret(prompts: readonly [string, string], terminal: Terminal): Promise<Secret> {
  if (terminal.input.isTTY !== true) return readSecret(prompts[0], terminal)
  const [text, again] = await readTyped(prompts, terminal)
  if (text !== again) throw problem('vault.passphrase_differs')
  if (!text) throw problem('cli.token_missing')
  return secret(text)
}

async function readPiped({ input }: Terminal): Promise<string> {
  let text = ''
  for await (const chunk of input) text += String(chunk)
  return text.replace(/\r?\n$/, '')
}

/** What is typed at each prompt, one after the other; less where the input ends. */
async function readTyped(prompts: readonly string[], { input, errors }: Terminal): Promise<readonly string[]> {
  // In this order: what is typed as soon as the prompt is seen must not be shown.
  input.setRawMode?.(true)
  const [first = '', ...more] = prompts
  errors.write(first)
  try {
    const typed: string[] = []
    let text = ''
    for await (const chunk of input) {
      for (const character of String(chunk)) {
        if (character === CTRL_C) throw problem('request.cancelled')
        if (!ENDS.has(character)) {
          text = ERASES.has(character) ? text.slice(0, -1) : text + character
          continue
        }
        typed.push(text)
        const next = more.shift()
        if (next === undefined) return typed
        text = ''
        errors.write(`\n${next}`)
      }
    }
    return [...typed, text]
  } finally {
    input.setRawMode?.(false)
    errors.write('\n')
  }
}

const CTRL_C = '\u0003'
const ENDS = new Set(['\r', '\n', '\u0004'])
const ERASES = new Set(['\u007f', '\b'])
