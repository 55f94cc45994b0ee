import { fields, type Field } from '../../packages/mal/src/query/fields.ts'
import { operators } from '../../packages/mal/src/query/operators.ts'
import { code, heading, table } from './markdown.ts'

/** The language in which lists are searched: every field of it, and what it can be compared with. */
export function listQueriesPage(): string {
  const intro =
    'The tools of the MyAnimeList server that choose entries of a list take a query: `search_my_list`, the export, bulk ' +
    'changes, the backlog planner. For instance:'
  const example = code(
    'status:completed score>=8 genre:"Slice of Life" -tag:dropped year:2010..2019 sort:score desc,title',
  )
  return (
    heading('List queries', intro, example, rules) +
    table(
      ['Field', 'Type', 'Compared with', 'What it is'],
      fields.map((field) => [namesOf(field), field.type, operators[field.type].map(code).join(' '), aboutOf(field)]),
    )
  )
}

const rules = [
  '- Conditions beside each other must all hold (`and` may stand between them); `or` is weaker, parentheses group, `not` or `-` turns one round.',
  '- A word, or a text in quotes, is looked for in every title. Case, accents and width count for nothing.',
  '- Several values with commas between them: any of them. `a..b`, `a..` and `..b` are ranges.',
  '- What is not known meets no comparison; `!=` and `-` are the opposite of one, so they hold for it. `score:none` asks for what is not known, `score:any` for what is.',
  '- Words are compared whole (`:`) or in part (`~`); blanks, hyphens and underscores are the same. Text is compared in part (`:`, `~`) or whole (`=`).',
  '- A date is a year, a month, a day, `today`, `yesterday`, or an age: `updated<30d` is less than 30 days ago (`h`, `d`, `w`, `m`, `y`). Days are those of UTC.',
  '- `sort:score desc,title` orders by one field after the other, upwards unless it says `desc`; what is not known comes last.',
  '- At most 1,000 characters, 20 levels deep. What cannot be read is answered with its place, and with the word that was probably meant.',
].join('\n')

function namesOf({ name, aliases = [] }: Field): string {
  return [name, ...aliases].map(code).join(', ')
}

function aboutOf({ about, only }: Field): string {
  return only === undefined ? about : `${about} (${only} only)`
}
