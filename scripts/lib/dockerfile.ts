/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  readonly name: string
  readonly words: string
}

/** What one FROM begins. */
export interface Stage {
  /** The image or the stage it starts from, variables resolved. */
  readonly from: string
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

/**
 * Reads a Dockerfile as the builder does, as far as ours goes: comments, continued lines, arguments before the first
 * FROM, stages.
 *
 * @see {@link https://docs.docker.com/reference/dockerfile/ Dockerfile reference}
 */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
  const whole = lines.join('\n').replace(/\\\n\s*/g, '')
  const defaults = new Map<string, string>()
  const stages: { from: string; name: string | undefined; instructions: Instruction[] }[] = []
  for (const line of whole.split('\n')) {
    const [, name = '', words = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? []
    const stage = stages.at(-1)
    if (name === 'FROM') stages.push(begin(words))
    else if (stage !== undefined) stage.instructions.push({ name, words })
    else if (name === 'ARG') defaults.set(...splitArgument(words))
    else throw new Error(`${name} stands before the first FROM`)
  }
  return stages

  function begin(words: string) {
    const [image = '', , name] = words.replace(/--\S+\s+/g, '').split(/\s+/)
    const from = image.replace(/\$\{(\w+)\}/g, (_, argument: string) => defaults.get(argument) ?? '')
    return { from, name, instructions: [] }
  }
}

function splitArgument(words: string): [string, string] {
  const at = words.indexOf('=')
  return [words.slice(0, at), words.slice(at + 1)]
}

/** The command line of an instruction in exec form; nothing where it is in shell form. */
export function execForm({ words }: Instruction): readonly string[] | undefined {
  const at = words.indexOf('[')
  if (at < 0) return undefined
  try {
    return JSON.parse(words.slice(at))
  } catch {
    return undefined
  }
}
