import type { z } from 'zod'
import { malProblems } from '../../packages/mal/src/api/problem.ts'
import { prompts } from '../../packages/mal/src/prompts/table.ts'
import { resources } from '../../packages/mal/src/resources/table.ts'
import { tools } from '../../packages/mal/src/tools/table.ts'
import { toolsets, type Tool, type Toolset } from '../../packages/mal/src/tools/tool.ts'
import { code, table } from './markdown.ts'

const BEGIN = '<!-- tools: written by `npm run docs` from the tables of tools, resources and prompts -->'
const END = '<!-- end of tools -->'

/**
 * The README of the MyAnimeList server with its tools, resources, prompts and problems as they are now; the rest of the page
 * stays as it is written.
 *
 * @throws {Error} where the page has lost the marks between which they stand
 */
export function malReadme(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('packages/mal/README.md has no place for the tools')
  const sections = [...toolsets.map(toolsetSection), resourceSection(), promptSection()]
  return withProblems(`${before}${BEGIN}\n\n${sections.join('\n')}\n${END}${after}`)
}

const PROBLEMS_BEGIN = '<!-- problems: written by `npm run docs` from the table of problems -->'
const PROBLEMS_END = '<!-- end of problems -->'

/** @throws {Error} where the page has lost the marks between which the codes stand */
function withProblems(page: string): string {
  const [before, rest] = page.split(PROBLEMS_BEGIN)
  const after = rest?.split(PROBLEMS_END)[1]
  if (before === undefined || after === undefined) throw new Error('packages/mal/README.md has no place for problems')
  const rows = Object.entries(malProblems).map(([name, says]) => [code(name), says.replaceAll('<', '&lt;')])
  return `${before}${PROBLEMS_BEGIN}\n\n${table(['Code', 'What it says'], rows)}\n${PROBLEMS_END}${after}`
}

/** What each toolset is for. */
const ABOUT: Readonly<Record<Toolset, string>> = {
  core: 'what everybody gets: the own lists, search, details, single changes, undo',
  discover: 'what others watch: rankings, seasons, suggestions, public lists',
  insight: 'understanding a list',
  bulk: 'many entries at once, planned first',
  transfer: 'lists in and out of files',
  community: 'the forum',
  account: 'the account and its connection',
}

function toolsetSection(name: Toolset): string {
  const rows = tools.filter(({ toolset }) => toolset === name).map(toolRow)
  return `### ${name}: ${ABOUT[name]}\n\n${table(['Tool', 'What it is for', 'Notes'], rows)}`
}

function toolRow(tool: Tool): readonly string[] {
  const { name, title, description, input, needsStorage } = tool
  const [sentence = ''] = description.split(/(?<=\.) /)
  const notes = [EFFECTS[tool.effect], needsStorage ? 'needs storage' : ''].filter((note) => note !== '')
  return [code(`${name}(${argumentsOf(input)})`), `**${title}.** ${sentence}`, notes.join(', ')]
}

const EFFECTS = { reads: '', writes: 'writes', overwrites: 'overwrites' } as const satisfies Record<
  Tool['effect'],
  string
>

/** `?` marks what may be left out. */
function argumentsOf(input: z.ZodObject): string {
  const names = Object.entries(input.shape).map(([name, schema]) => {
    const { success } = (schema as z.ZodType).safeParse(undefined)
    return success ? `${name}?` : name
  })
  return names.join(', ')
}

function resourceSection(): string {
  const rows = resources.map(({ uri, title, description }) => [code(uri), `**${title}.** ${description}`])
  return `### Resources\n\n${table(['Address', 'What it holds'], rows)}`
}

function promptSection(): string {
  const rows = prompts.map(({ name, args, title, description }) => [
    code(`${name}(${argumentsOf(args)})`),
    `**${title}.** ${description}`,
  ])
  return `### Prompts\n\n${table(['Prompt', 'What it starts'], rows)}`
}
