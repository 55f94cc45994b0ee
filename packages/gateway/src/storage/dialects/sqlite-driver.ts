import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** What the gate needs of whatever speaks to the embedded database. */
export interface SqliteDriver extends SqliteDatabase {
  exec(sql: string): unknown
  isBusy(error: unknown): boolean
  isConflict(error: unknown): boolean
  /** How the disk failed it, where it was that. */
  failureOf(error: unknown): DiskFailure | undefined
}

/** What SQLite calls it when it is not the statement that is wrong. */
export type DiskFailure = 'SQLITE_FULL' | 'SQLITE_IOERR' | 'SQLITE_READONLY' | 'SQLITE_CANTOPEN'

export type OpenDriver = (file: string) => Promise<SqliteDriver>

/** Where better-sqlite3 loads. An older Node does not refuse it: it crashes. */
const NODE_API = 10

/** Opens a database with better-sqlite3, or on a Node that is too old for it (before 22.14) with Node's own SQLite. */
export const openDriver: OpenDriver = (file) =>
  Number(process.versions['napi']) >= NODE_API ? openBetterSqlite(file) : openNodeSqlite(file)

async function openBetterSqlite(file: string): Promise<SqliteDriver> {
  const { default: BetterSqlite } = await import('better-sqlite3')
  const database = new BetterSqlite(file)
  const has = (error: unknown, ...codes: readonly unknown[]) => codes.includes(property(error, 'code'))
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    close: () => database.close(),
    isBusy: (error) => has(error, 'SQLITE_BUSY'),
    isConflict: (error) => has(error, 'SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE'),
    failureOf(error) {
      const code = String(property(error, 'code'))
      return DISK_FAILURES.find((failure) => code === failure || code.startsWith(`${failure}_`))
    },
  }
}

const DISK_FAILURES = ['SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_READONLY', 'SQLITE_CANTOPEN'] as const

/** @see {@link https://www.sqlite.org/rescode.html SQLite: result codes} */
const RESULTS = { busy: 5, primaryKey: 1555, unique: 2067 }
const DISK_RESULTS: Readonly<Record<number, DiskFailure>> = {
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
}
/** The last byte of a result says what it is, the others which of those. */
const PRIMARY = 0xff

/** The same with `node:sqlite`, whose numbers of failures are SQLite's own. */
export async function openNodeSqlite(file: string): Promise<SqliteDriver> {
  const sqlite = await import('node:sqlite')
  const database = new sqlite.DatabaseSync(file)
  const has = (error: unknown, ...codes: readonly unknown[]) => codes.includes(property(error, 'errcode'))
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => prepareWithNode(database, sql),
    close: () => database.close(),
    isBusy: (error) => has(error, RESULTS.busy),
    isConflict: (error) => has(error, RESULTS.primaryKey, RESULTS.unique),
    failureOf: (error) => DISK_RESULTS[Number(property(error, 'errcode')) & PRIMARY],
  }
}

/** It does not tell which statements answer with rows; of ours these do. */
const READER = /^\s*(?:select|with|values|pragma|explain)\b|\breturning\b/i

function prepareWithNode(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql)
  const given = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[]
  return {
    reader: READER.test(sql),
    all: (parameters) => statement.all(...given(parameters)).map(withBuffers),
    run: (parameters) => statement.run(...given(parameters)),
    iterate: (parameters) => statement.iterate(...given(parameters)).map(withBuffers),
  }
}

/** Bytes as the other driver gives them, in an object that has a prototype. */
function withBuffers(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value) : value]),
  )
}

function property(error: unknown, name: string): unknown {
  return error instanceof Error ? Reflect.get(error, name) : undefined
}
