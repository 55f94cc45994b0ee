import { sql, type RawBuilder } from 'kysely'
import type { Storage } from '../../storage/database.ts'
import type { LogLevel } from '../../upstreams/client.ts'
import type { Who } from '../../upstreams/transport.ts'

/** What is kept of a session. */
export interface Kept {
  readonly logLevel: LogLevel | undefined
  /** The resources it has subscribed to, by the URIs it has for them. */
  readonly resources: ReadonlySet<string>
  readonly changedAt: number
  readonly ended: boolean
}

/** Which session, and when something happened to it. */
export interface Change {
  readonly who: Who
  readonly id: string
  readonly at: number
}

const KEY = ['tenant_id', 'id'] as const

/**
 * The rows of sessions that keep something. Every change is one statement, whoever else changes the same row: a
 * resource is put into the list, and taken out of it, by the database itself.
 */
export function createSessionStore({ storage }: { readonly storage: Pick<Storage, 'for' | 'system'> }) {
  function insert({ who: { tenant, userId }, id, at }: Change, kept: Partial<Columns>) {
    const row = { user_id: userId, id, log_level: null, resources: '[]', ended_at: null, changed_at: at, ...kept }
    return storage.for(tenant).insertInto('mcp_sessions', row)
  }

  return {
    async find({ tenant, userId }: Who, id: string): Promise<Kept | undefined> {
      const row = await storage
        .for(tenant)
        .selectFrom('mcp_sessions')
        .select(['log_level', 'resources', 'changed_at', 'ended_at'])
        .where('user_id', '=', userId)
        .where('id', '=', id)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const resources: readonly string[] = JSON.parse(row.resources)
      // Only a level is ever written there.
      const logLevel = (row.log_level ?? undefined) as LogLevel | undefined
      return { logLevel, resources: new Set(resources), changedAt: row.changed_at, ended: row.ended_at !== null }
    },

    /** Of how many sessions of a user there is a row. */
    async countOf({ tenant, userId }: Who): Promise<number> {
      const { count } = await storage
        .for(tenant)
        .selectFrom('mcp_sessions')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    async setLevel(change: Change, level: LogLevel): Promise<void> {
      await insert(change, { log_level: level })
        .onConflict((row) => row.columns(KEY).doUpdateSet({ log_level: level, changed_at: change.at }))
        .execute()
    },

    async subscribe(change: Change, uri: string): Promise<void> {
      const text = textOf(uri)
      await insert(change, { resources: `[${text}]` })
        .onConflict((row) => row.columns(KEY).doUpdateSet({ resources: withElement(text), changed_at: change.at }))
        .execute()
    },

    async unsubscribe({ who: { tenant }, id, at }: Change, uri: string): Promise<void> {
      await storage
        .for(tenant)
        .updateTable('mcp_sessions')
        .set({ resources: withoutElement(textOf(uri)), changed_at: at })
        .where('id', '=', id)
        .execute()
    },

    async end(change: Change): Promise<void> {
      await insert(change, { ended_at: change.at })
        .onConflict((row) => row.columns(KEY).doUpdateSet({ ended_at: change.at, changed_at: change.at }))
        .execute()
    },

    /** Takes away what has not changed since then. */
    async sweep(before: number): Promise<void> {
      await storage.system.deleteFrom('mcp_sessions').where('changed_at', '<', before).execute()
    },
  }
}

interface Columns {
  readonly log_level: LogLevel
  readonly resources: string
  readonly ended_at: number
}

/**
 * An element of the list as JSON text, with neither a quote nor a comma inside: found in the text of the whole list, it
 * is that element and no part of another, nor of two.
 */
function textOf(uri: string): string {
  const inside = JSON.stringify(uri).slice(1, -1)
  return `"${inside.replaceAll('\\"', '\\u0022').replaceAll(',', '\\u002c')}"`
}

/** The list with an element at its end, unless it is there. */
function withElement(text: string): RawBuilder<string> {
  const list = sql.ref('mcp_sessions.resources')
  return sql`case
    when ${list} = '[]' then ${`[${text}]`}
    when replace(${list}, ${text}, '') <> ${list} then ${list}
    else substr(${list}, 1, length(${list}) - 1) || ${`,${text}]`} end`
}

/** The list without an element, and without the comma that set it apart. */
function withoutElement(text: string): RawBuilder<string> {
  return sql`replace(replace(replace(resources, ${`${text},`}, ''), ${`,${text}`}, ''), ${text}, '')`
}
