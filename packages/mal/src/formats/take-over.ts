import type { Kind, Noted } from '../list/entry.ts'
import type { Change } from '../session.ts'

/**
 * What happens to entries that are on the list already. `missing` leaves them alone. `merge` adds to them and takes
 * nothing away: the further progress, the first score, both tags. `overwrite` sets whatever the file speaks of.
 */
export const importModes = ['missing', 'merge', 'overwrite'] as const
export type ImportMode = (typeof importModes)[number]

/**
 * What an entry of a file changes in a list; `undefined` where the mode leaves it alone.
 *
 * @param said what the file says; what it does not speak of never changes
 * @param noted the entry as it is; absent where it is not on the list
 */
export function takeOver(
  mode: ImportMode,
  kind: Kind,
  said: Partial<Noted>,
  noted: Noted | undefined,
): Change | undefined {
  const told = changeOf(kind, said)
  if (noted === undefined) return { status: statusFor(kind, said), ...told }
  if (mode === 'overwrite') return told
  return mode === 'merge' ? addTo(noted, told) : undefined
}

/** The words of a change: 0 is no score, '' is no date. */
function changeOf(kind: Kind, said: Partial<Noted>): Change {
  const { updatedAt: _, score, startDate, finishDate, volumes, comments, ...plain } = said
  return {
    ...plain,
    ...('score' in said && { score: score ?? 0 }),
    ...('startDate' in said && { startDate: startDate ?? '' }),
    ...('finishDate' in said && { finishDate: finishDate ?? '' }),
    ...(kind === 'manga' && volumes !== undefined && { volumes }),
    // Lists do not tell comments, so that an empty one cannot be told from one that is not there: it clears nothing.
    ...(comments && { comments }),
  }
}

/** A file that names no status still wants its entry on the list. */
function statusFor(kind: Kind, { progress = 0 }: Partial<Noted>): string {
  const [current, planned] = kind === 'anime' ? ['watching', 'plan_to_watch'] : ['reading', 'plan_to_read']
  return (progress > 0 ? current : planned) ?? ''
}

/** Comments stand in no list, so that nobody can tell here whether there are any: they stay. */
function addTo(noted: Noted, told: Change): Change {
  const tags = told.tags?.filter((tag) => !noted.tags.includes(tag)) ?? []
  return {
    ...(told.status !== undefined && rank(told.status) > rank(noted.status) && { status: told.status }),
    ...(noted.score === undefined && told.score && { score: told.score }),
    ...further('progress'),
    ...further('volumes'),
    ...further('timesRepeated'),
    ...(noted.repeatValue === 0 && told.repeatValue && { repeatValue: told.repeatValue }),
    ...(noted.priority === 0 && told.priority && { priority: told.priority }),
    ...(noted.startDate === undefined && told.startDate && { startDate: told.startDate }),
    ...(noted.finishDate === undefined && told.finishDate && { finishDate: told.finishDate }),
    ...(tags.length > 0 && { tags: [...noted.tags, ...tags] }),
  }

  function further(key: 'progress' | 'volumes' | 'timesRepeated'): Change {
    const value = told[key]
    return value !== undefined && value > noted[key] ? { [key]: value } : {}
  }
}

/** Planned comes before begun, begun before completed; what was begun stays what it is. */
function rank(status: string): number {
  if (status === 'completed') return 2
  return status.startsWith('plan_to') ? 0 : 1
}
