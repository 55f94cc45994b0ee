/** One module that a file names, and what it takes from it. */
export interface Import {
  /** As written; `undefined` where an `import()` computes it. */
  readonly from: string | undefined
  /** Whether it vanishes when types are erased. */
  readonly typeOnly: boolean
  /** What stands between `import` and `from`: names, `* as x`, a default. Empty for `import()`. */
  readonly clause: string
}

export interface Scan {
  readonly imports: readonly Import[]
  /** The source with comments left out, and every string, template text and regular expression as `"n"`. */
  readonly code: string
  /** The strings and texts in the order of their numbers. */
  readonly texts: readonly string[]
}

/**
 * Finds what a TypeScript source imports: `import`, `export … from`, `import()`, `require()`, types too. Not a
 * parser: it tells code from comments, strings and regular expressions, and that is enough where imports
 * stand only in the forms that the formatter leaves.
 */
export function scan(source: string): Scan {
  const { code, texts } = separate(source)
  const text = (index: string | undefined) => texts[Number(index)]
  const found: Import[] = []
  for (const [, word, clause = '', index] of code.matchAll(/\b(import|export)\b([\w\s$*{},]*?)\bfrom\s*"(\d+)"/g)) {
    if (word) found.push({ from: text(index), clause: clause.trim(), typeOnly: isTypeOnly(clause) })
  }
  for (const [, index] of code.matchAll(/\bimport\s*"(\d+)"/g))
    found.push({ from: text(index), clause: '', typeOnly: false })
  for (const [, type, index] of code.matchAll(/(?<![.\w$])(\btypeof\s+)?\bimport\s*\(\s*(?:"(\d+)"\s*[,)])?/g)) {
    found.push({ from: text(index), clause: '', typeOnly: type !== undefined })
  }
  for (const [, index] of code.matchAll(/(?<![.\w$])require\s*\(\s*"(\d+)"\s*\)/g)) {
    found.push({ from: text(index), clause: '', typeOnly: false })
  }
  return { imports: found, code, texts }
}

/** `import type …`, or braces in which every name is a `type`. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b(?!\s*,)/.test(clause)) return true
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1]?.split(',') ?? []
  const used = names.map((name) => name.trim()).filter(Boolean)
  return used.length > 0 && used.every((name) => /^type\s/.test(name))
}

const PIECES = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(["'])(?:\\[\s\S]|(?!\1)[^\\\n])*\1/y
const REGEX = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y
/** After one of these a slash begins a regular expression, and divides otherwise. */
const BEFORE_REGEX = /(?:^|[([{,;:=!&|?+*%~^<>-]|\b(?:return|typeof|case|in|of|await|yield|default|else|do))\s*$/

function separate(source: string): { code: string; texts: string[] } {
  const texts: string[] = []
  /** For each open `${`, how many braces are open within. */
  const templates: number[] = []
  let code = ''
  const hide = (text: string) => (code += `"${texts.push(text) - 1}"`)

  for (let at = 0; at < source.length;) {
    const [piece, quote] = match(PIECES, source, at) ?? []
    const character = source.charAt(at)
    const ends = character === '}' && templates.at(-1) === 0
    if (piece !== undefined) {
      if (quote) hide(piece.slice(1, -1))
      else code += ' '
      at += piece.length
    } else if (character === '`' || ends) {
      if (ends) templates.pop()
      const text = templateText(source, at + 1)
      hide(text.value)
      at = text.end
      if (text.opens) templates.push(0)
    } else if (character === '/' && BEFORE_REGEX.test(code)) {
      const [pattern = '/'] = match(REGEX, source, at) ?? []
      hide(pattern)
      at += pattern.length
    } else {
      const depth = templates.pop()
      if (depth !== undefined) templates.push(depth + (character === '{' ? 1 : 0) - (character === '}' ? 1 : 0))
      code += character
      at++
    }
  }
  return { code, texts }
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

/** Reads template text from `from` up to the closing backtick, or into the next `${`. */
function templateText(source: string, from: number): { value: string; end: number; opens: boolean } {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '`') return { value: source.slice(from, at), end: at + 1, opens: false }
    else if (source.startsWith('${', at)) return { value: source.slice(from, at), end: at + 2, opens: true }
  }
  return { value: source.slice(from), end: source.length, opens: false }
}
