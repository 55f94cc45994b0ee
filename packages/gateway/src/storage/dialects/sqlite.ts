import { closeSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, sql, SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely'
import { problem, type Problem } from '../../base/problem.ts'
import { createRecent } from '../../base/recent.ts'
import { inWords } from '../../base/system-words.ts'
import type { Database } from '../schema.ts'
import type { Engine } from './engine.ts'
import { failing } from './failures.ts'
import { openDriver, type DiskFailure, type OpenDriver, type SqliteDriver } from './sqlite-driver.ts'

/** How long a second opener waits before it is refused. */
const BUSY_TIMEOUT_MS = 200

/** Statements kept prepared: preparing one costs more than running it. */
const STATEMENTS = 128

/**
 * Opens `<dataDir>/sekisho.db`, made where it is missing (mode 0600, the directory 0700), for this process
 * alone. The lock is the operating system's own on the file, so that it ends with the process however that ends.
 *
 * Those locks belong to the process: if anything in it opened and closed the file by other means, they
 * would be gone. Copy the database by SQL only.
 *
 * @throws {Problem} `storage.in_use`, `storage.unusable`
 * @see {@link https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_ SQLite on locks cancelled by close()}
 */
export async function openSqlite(dataDir: string, open: OpenDriver = openDriver): Promise<Engine> {
  const file = join(dataDir, 'sekisho.db')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  createPrivately(file)
  const driver = await open(file).catch((cause: unknown) => {
    throw unusable(file, cause)
  })
  claim(driver, file)
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: withKeptStatements(driver) }) })
  return {
    dialect: 'sqlite',
    db,
    words: { bytes: 'blob', keptByKey: 'without rowid' },
    async hasTable(name) {
      const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(db)
      return rows.length > 0
    },
    async copyBefore(migration) {
      await copy(db, `${file}.before-${migration}`)
    },
    async lock() {},
    isConflict: driver.isConflict,
  }
}

function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw problem('storage.unusable', { place: file, reason: inWords(error), cause: error })
  }
}

/** The locking mode comes before the first access in WAL mode; the empty transaction takes the lock at once. */
function claim(driver: SqliteDriver, file: string): void {
  try {
    driver.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
    driver.exec('pragma locking_mode = exclusive')
    driver.exec('pragma journal_mode = wal')
    driver.exec('pragma synchronous = full')
    driver.exec('pragma foreign_keys = on')
    driver.exec('begin exclusive; commit')
  } catch (error) {
    driver.close()
    throw driver.isBusy(error) ? problem('storage.in_use', { file, cause: error }) : unusable(file, error)
  }
}

/** SQLite says it in words: `unable to open database file`, `file is not a database`, `database or disk is full`. */
function unusable(place: string, cause: unknown): Problem {
  return problem('storage.unusable', { place, reason: cause instanceof Error ? cause.message : String(cause), cause })
}

/** Kysely prepares a statement for each query; this hands it the one from last time. */
function withKeptStatements(driver: SqliteDriver): SqliteDatabase {
  const kept = createRecent<string, SqliteStatement>(STATEMENTS)
  return {
    close: () => driver.close(),
    prepare(sql) {
      const known = kept.get(sql)
      if (known !== undefined) return known
      const statement = prepare(driver, sql)
      kept.set(sql, statement)
      return statement
    },
  }
}

/** A statement that tells a failure of the disk as what it is. */
function prepare(driver: SqliteDriver, sql: string): SqliteStatement {
  const statement = told(driver, () => driver.prepare(sql))
  return {
    reader: statement.reader,
    all: (parameters) => told(driver, () => statement.all(parameters)),
    run: (parameters) => told(driver, () => (sql === 'rollback' ? rollBack(statement) : statement.run(parameters))),
    iterate: (parameters) => statement.iterate(parameters),
  }
}

function told<Result>(driver: SqliteDriver, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    const failure = driver.failureOf(error)
    throw failure === undefined ? error : failing(REASONS[failure], error)
  }
}

const REASONS = {
  SQLITE_FULL: 'its disk is full',
  SQLITE_IOERR: 'its disk cannot be read or written',
  SQLITE_READONLY: 'it can be read only',
  SQLITE_CANTOPEN: 'one of its files cannot be opened',
} as const satisfies Record<DiskFailure, string>

/** Where the disk failed, SQLite may have ended the transaction by itself; that is no failure of its own. */
function rollBack(statement: SqliteStatement): ReturnType<SqliteStatement['run']> {
  try {
    return statement.run([])
  } catch (error) {
    if (error instanceof Error && error.message.includes('no transaction is active')) return NOTHING
    throw error
  }
}

const NOTHING = { changes: 0, lastInsertRowid: 0 }

/** The copy holds what the database holds, so it is as private, and it is on the disk before anything changes. */
async function copy(db: Kysely<Database>, to: string): Promise<void> {
  rmSync(to, { force: true })
  createPrivately(to)
  await sql`vacuum into ${to}`.execute(db)
  const written = openSync(to, 'r+')
  fsyncSync(written)
  closeSync(written)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
