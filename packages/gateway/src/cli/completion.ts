import type { Command } from './command.ts'

/** A point in a command line, and the words that may come next. */
interface Step {
  /** The words before it, options left out. */
  readonly after: string
  readonly words: readonly string[]
  /** Whether a command is complete here, so that only its own arguments and options follow. */
  readonly last: boolean
}

/** @see bash(1), Programmable Completion */
export function bashCompletion(commands: readonly Command[]): string {
  const cases = stepsOf(commands).map(
    ({ after, words, last }) => `    ${pattern(after, last)} next='${words.join(' ')}' ;;`,
  )
  return `_sekisho() {
  local word line='' next=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || line="$line\${line:+ }$word"
  done
  case "$line" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sekisho sekisho`
}

/** @see zshcompsys(1) */
export function zshCompletion(commands: readonly Command[]): string {
  const cases = stepsOf(commands).map(
    ({ after, words, last }) => `    ${pattern(after, last)} compadd -- ${words.join(' ')} ;;`,
  )
  return `#compdef sekisho
_sekisho() {
  local word line=''
  for word in \${words[2,CURRENT-1]}; do
    [[ $word == -* ]] || line="$line\${line:+ }$word"
  done
  case "$line" in
${cases.join('\n')}
  esac
  _files
}
_sekisho "$@"`
}

/** @see https://fishshell.com/docs/current/cmds/complete.html */
export function fishCompletion(commands: readonly Command[]): string {
  const groups = new Set(commands.filter(({ name }) => name.includes(' ')).map(({ name }) => wordsOf(name)[0]))
  const lines = commands.flatMap(({ name, does, options }) => {
    const [first = '', second] = wordsOf(name)
    const here = second === undefined ? seen(first) : `${seen(first)}; and ${seen(second)}`
    const own =
      second === undefined
        ? `complete -c sekisho -n __fish_use_subcommand -a ${first} -d ${quote(does)}`
        : `complete -c sekisho -n '${seen(first)}' -a ${second} -d ${quote(does)}`
    const flags = Object.entries(options).map(
      ([option, { says, value }]) =>
        `complete -c sekisho -n '${here}' -l ${option}${value === undefined ? '' : ' -r'} -d ${quote(says)}`,
    )
    return [own, ...flags]
  })
  return [...[...groups].map((group) => `complete -c sekisho -n __fish_use_subcommand -a ${group}`), ...lines].join(
    '\n',
  )
}

function stepsOf(commands: readonly Command[]): Step[] {
  const firsts = new Set(commands.map(({ name }) => wordsOf(name)[0] ?? ''))
  const groups = [...firsts].flatMap((first) => {
    const words = commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? (wordsOf(name)[1] ?? []) : []))
    return words.length > 0 ? [{ after: first, words, last: false }] : []
  })
  const ends = commands.map((command) => ({ after: command.name, words: nextOf(command), last: true }))
  return [{ after: '', words: [...firsts], last: false }, ...groups, ...ends]
}

function nextOf({ arguments: args, options }: Command): string[] {
  const choices = [...args, ...Object.values(options)].flatMap((row) => row.choices ?? [])
  return [...choices, ...Object.keys(options).map((name) => `--${name}`), '--help']
}

function pattern(after: string, last: boolean): string {
  return last ? `'${after}' | '${after} '*)` : `'${after}')`
}

function wordsOf(name: string): string[] {
  return name.split(' ')
}

function seen(word: string): string {
  return `__fish_seen_subcommand_from ${word}`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
