import { adminRoutes, type AdminRoute } from '../../packages/gateway/src/admin/routes.ts'
import {
  accountPaths,
  authserverPaths,
  loginPaths,
  programPaths,
  type Paths,
} from '../../packages/gateway/src/paths.ts'
import { code, heading, table } from './markdown.ts'

const WHO: Readonly<Record<AdminRoute['who'], string>> = {
  administrator: 'administrators',
  self: 'everybody for themselves; for others administrators, where it does not say otherwise',
  anyone: 'whoever has a key',
}

/** The API of administrators. */
export function routesPage(): string {
  const rows = Object.values<AdminRoute>(adminRoutes).map(({ method, path, who, does }) => [
    code(`${method.toUpperCase()} ${path}`),
    does,
    WHO[who],
  ])
  const intro =
    'The API of administrators, and of the command line. Requests and answers are JSON; their shapes are at ' +
    '`/admin/api/openapi.json` of a running gate. Failures are as in the [reference of errors](errors.md).'
  const who =
    'It is asked with an API key (`Authorization: Bearer …`), or without one through the socket in the data directory, ' +
    'as the operator, who may do all that an owner may. Administrators are owners and admins with a key of scope ' +
    '`admin`. Nobody reaches another tenant than their own.'
  return [
    heading('Routes', 'Every path of the gate; one that ends with a slash stands for everything below it.'),
    ...GROUPS.map(([title, paths]) => `## ${title}\n\n${table(['Path', 'What is there'], rowsOf(paths))}\n`),
    `## The API of administrators\n\n${intro}\n\n${who}\n\n`,
    table(['Route', 'What it does', 'Who may'], rows),
  ].join('')
}

const GROUPS: readonly (readonly [string, Paths])[] = [
  ['For programs', programPaths],
  ['The authorization server', authserverPaths],
  ['Pages for signing in', loginPaths],
  ['Pages of an account', accountPaths],
]

function rowsOf(paths: Paths): string[][] {
  return Object.entries(paths).map(([path, what]) => [code(path), what])
}
