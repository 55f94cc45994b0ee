import type { ListEntry, Noted, WholeList } from './entry.ts'

/** A whole list that is kept for long, and what its user has written since it was read. */
export interface KeptList {
  /** The list with everything that was written; whoever got an earlier one keeps it as it was. */
  list(): WholeList
  /**
   * Notes what became of one entry; `undefined` is that it was removed.
   * @returns whether the list knows the work: of one that is new to it nothing can be shown
   */
  write(id: number, noted: Noted | undefined): boolean
}

/** Bulk work writes thousands of entries before anybody looks: the list is copied when it is read, not at each of them. */
export function keepList(read: WholeList): KeptList {
  let list = read
  const written = new Map<number, Noted | undefined>()
  return {
    list() {
      if (written.size > 0) list = withWritten(list, written)
      written.clear()
      return list
    },
    write(id, noted) {
      if (noted !== undefined && !list.entries.some(({ work }) => work.id === id)) return false
      // Lists do not tell comments, and a list that was changed looks like one that was read.
      written.set(id, noted && { ...noted, comments: undefined })
      return true
    },
  }
}

function withWritten(list: WholeList, written: ReadonlyMap<number, Noted | undefined>): WholeList {
  const entries = list.entries.flatMap((entry): ListEntry | [] => {
    const { work } = entry
    if (!written.has(work.id)) return entry
    const noted = written.get(work.id)
    return noted === undefined ? [] : { work, noted }
  })
  return { ...list, entries }
}
