import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { chooseSecret, readSecret } from '../../src/base/terminal.ts'
import { createPrinter, showDuration } from '../../src/cli/print.ts'

/** A terminal of the test's own: what is typed is handed in, what would be shown is kept. */
function createTerminal() {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => void modes.push(raw) })
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true })
  return { input, output, errors: output, modes, shown: () => String(output.read() ?? '') }
}

test('what is typed at the prompt is taken, corrections and all, and not shown', async () => {
  const { shown, modes, ...terminal } = createTerminal()
  terminal.input.write('ghp_wromg\u007f')
  terminal.input.write('\u007fng\r')
  expect((await readSecret('Token: ', terminal)).reveal()).toBe('ghp_wrong')
  expect(shown()).toBe('Token: \n')
  expect(modes).toEqual([true, false])
})

test('a secret that is chosen is typed twice, and both have to be the same', async () => {
  const choose = async (typed: string) => {
    const { shown, modes, ...terminal } = createTerminal()
    terminal.input.end(typed)
    const chosen = await chooseSecret(['New: ', 'Once more: '], terminal).then(
      (secret) => secret.reveal(),
      (error: Error & { code?: string }) => error.code,
    )
    return [chosen, shown(), modes]
  }
  const asked = 'New: \nOnce more: \n'
  expect(await choose('four words\rfour words\r')).toEqual(['four words', asked, [true, false]])
  expect(await choose('four words\rfour wards\r')).toEqual(['vault.passphrase_differs', asked, [true, false]])
  expect(await choose('four words\r')).toEqual(['vault.passphrase_differs', asked, [true, false]])
  expect(await choose('\r\r')).toEqual(['cli.token_missing', asked, [true, false]])
  expect(await choose('four\r\u0003')).toEqual(['request.cancelled', asked, [true, false]])
  const piped = Object.assign(new PassThrough(), { isTTY: false })
  piped.end('four words\n')
  const { errors } = createTerminal()
  expect((await chooseSecret(['New: ', 'Once more: '], { input: piped, errors })).reveal()).toBe('four words')
})

test('Ctrl-C at the prompt gives up, and leaves the terminal as it was', async () => {
  const { modes, ...terminal } = createTerminal()
  terminal.input.write('ghp_\u0003')
  await expect(readSecret('Token: ', terminal)).rejects.toMatchObject({ code: 'request.cancelled' })
  expect(modes).toEqual([true, false])
})

test('an answer of the gate cannot steer the terminal', () => {
  const { shown, ...terminal } = createTerminal()
  const print = createPrinter({ ...terminal, environment: { NO_COLOR: '1' } })
  const evil = '\u001b]0;owned\u0007\u001b[2Jname\u009b31m'
  print.raw(evil)
  print.table(['NAME'], [[evil]], '')
  print.failure({ message: evil, fix: evil })
  // oxlint-disable-next-line no-control-regex
  expect(shown()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
})

test('headings are bold on a terminal, unless NO_COLOR says no, and nowhere else', () => {
  const write = (isTTY: boolean, environment: Record<string, string>) => {
    const { shown, ...terminal } = createTerminal()
    terminal.output.isTTY = isTTY
    createPrinter({ ...terminal, environment }).table(['NAME'], [['ada']], '')
    return shown()
  }
  expect(write(true, {})).toBe('\u001b[1mNAME\u001b[22m\nada\n')
  expect(write(true, { NO_COLOR: '1' })).toBe('NAME\nada\n')
  expect(write(false, {})).toBe('NAME\nada\n')
})

test.for([
  [0, '0 s'],
  [59, '59 s'],
  [3_600, '1 h'],
  [3_661, '1 h 1 min'],
  [90_061, '1 d 1 h'],
  [86_401, '1 d'],
] as const)('%i seconds are shown as %s', ([seconds, shown]) => {
  expect(showDuration(seconds)).toBe(shown)
})
