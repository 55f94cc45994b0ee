import type { Kind } from '../list/entry.ts'

/** What MyAnimeList calls in one kind of list what it calls otherwise in the other. */
export interface Words {
  readonly units: 'num_episodes' | 'num_chapters'
  /** Progress is read under one name and written under another: the name it is read by changes nothing. */
  readonly progress: { readonly read: string; readonly written: string }
  /** Only manga have volumes. */
  readonly volumes: string | undefined
  readonly isRepeating: string
  readonly timesRepeated: string
  readonly repeatValue: string
  readonly list: 'animelist' | 'mangalist'
}

export const words: Readonly<Record<Kind, Words>> = {
  anime: {
    units: 'num_episodes',
    progress: { read: 'num_episodes_watched', written: 'num_watched_episodes' },
    volumes: undefined,
    isRepeating: 'is_rewatching',
    timesRepeated: 'num_times_rewatched',
    repeatValue: 'rewatch_value',
    list: 'animelist',
  },
  manga: {
    units: 'num_chapters',
    progress: { read: 'num_chapters_read', written: 'num_chapters_read' },
    volumes: 'num_volumes_read',
    isRepeating: 'is_rereading',
    timesRepeated: 'num_times_reread',
    repeatValue: 'reread_value',
    list: 'mangalist',
  },
}
