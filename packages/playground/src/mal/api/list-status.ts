import type { ListEntry } from '../catalogue/lists.ts'
import { project, type Fields, type FieldTree, type JsonObject } from './fields.ts'
import type { KindRow } from './kinds.ts'

/** A list entry as others show it: the usual fields and those asked for. Comments never come in lists. */
export function showListStatus(row: KindRow, entry: ListEntry, asked: FieldTree, place: 'list' | 'detail'): JsonObject {
  const { comments, ...inLists } = fieldsOf(row, entry)
  const fields = place === 'list' || !comments ? inLists : { ...inLists, comments }
  return project(fields, asked, usual(row))
}

/** All of a list entry, which is what an edit is answered with. */
export function showWholeListStatus(row: KindRow, entry: ListEntry): JsonObject {
  const fields = fieldsOf(row, entry)
  return project(fields, new Map(), Object.keys(fields))
}

export function formatTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, '+00:00')
}

function usual({ shows }: KindRow): string[] {
  const volumes = shows.volumes === undefined ? [] : [shows.volumes]
  return ['status', 'score', shows.progress, ...volumes, shows.again, 'updated_at', 'start_date', 'finish_date']
}

function fieldsOf({ statuses, shows }: KindRow, entry: ListEntry): Fields {
  return {
    status: () => Object.keys(statuses).find((name) => statuses[name] === entry.status),
    score: () => entry.score,
    [shows.progress]: () => entry.progress,
    ...(shows.volumes !== undefined && { [shows.volumes]: () => entry.volumes }),
    [shows.again]: () => entry.again,
    updated_at: () => formatTime(entry.updatedAt),
    start_date: () => entry.startDate || undefined,
    finish_date: () => entry.finishDate || undefined,
    priority: () => entry.priority,
    [shows.timesAgain]: () => entry.timesAgain,
    [shows.againValue]: () => entry.againValue,
    tags: () => entry.tags,
    comments: () => entry.comments,
  }
}
