/** The way to a value in the file: `['mcpServers', 'github', 'args', 0]`. */
export type Path = readonly (string | number)[]

/** What is wrong, and what to do about it. Neither ever holds a value of the file or of the environment. */
export interface Trouble {
  readonly reason: string
  readonly fix: string
}

export interface ConfigProblem extends Trouble {
  /** The file, or `environment` where a variable is at fault. */
  readonly source: string
  /** Counted from 1; 1 where the source is the environment. */
  readonly line: number
  /** Counted from 1, in UTF-16 code units as editors do. */
  readonly column: number
  /** `mcpServers.github.args[0]`, or the name of the variable. */
  readonly path: string
}

/** Collects what is wrong, so that all of it can be said at once. */
export interface Report {
  problem(path: Path, trouble: Trouble, part?: Part): void
  warning(path: Path, trouble: Trouble, part?: Part): void
}

/** Which half of `"key": value` is meant. */
export type Part = 'key' | 'value'

export interface Place {
  readonly line: number
  readonly column: number
}

/** The report about one file. `locate` finds a value's place, or that of the nearest thing around it. */
export function createReport({ source, locate }: { source: string; locate: (path: Path, part: Part) => Place }) {
  const problems: ConfigProblem[] = []
  const warnings: ConfigProblem[] = []
  const add =
    (list: ConfigProblem[]) =>
    (path: Path, { reason, fix }: Trouble, part: Part = 'value') => {
      list.push({ source, ...locate(path, part), path: showPath(path), reason, fix })
    }
  return { problem: add(problems), warning: add(warnings), problems, warnings }
}

/** Writes a path as people do: `args[0]`, `env.API_KEY`, `env["odd name"]`. */
export function showPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!/^[\w$-]+$/.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

/** Writes problems for a terminal or a log, one below the other. */
export function showProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(showProblem).join('\n')
}

function showProblem({ source, line, column, path, reason, fix }: ConfigProblem): string {
  const place = source === 'environment' ? source : `${source}:${line}:${column}`
  return `${[place, path].filter(Boolean).join(' ')}: ${reason}. ${fix}${fix.endsWith('?') ? '' : '.'}`
}
