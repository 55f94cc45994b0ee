import { statuses, type Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { FileEntry, ListFile } from './file.ts'
import { mediaTypeWord, statusWord } from './xml/words.ts'

/** A table for each status, piece by piece, as GitHub and most editors show it. */
export function* writeMarkdown({ kind, owner, entries }: ListFile): Generator<string> {
  const whose = owner?.name === undefined ? '' : ` of ${plain(owner.name)}`
  yield `# ${kind === 'anime' ? 'Anime' : 'Manga'} list${whose}\n`
  const known: readonly string[] = statuses[kind]
  const others = [...new Set(entries.map(({ noted }) => noted.status ?? 'unknown'))].filter(
    (status) => !known.includes(status),
  )
  for (const status of [...known, ...others]) {
    const some = entries.filter(({ noted }) => (noted.status ?? 'unknown') === status)
    if (some.length === 0) continue
    yield `\n## ${plain(statusWord(status))} (${some.length})\n\n`
    yield `| Title | Type | Year | ${kind === 'anime' ? 'Episodes' : 'Chapters | Volumes'} | Score | Mean | Tags |\n`
    yield `|---|---|--:|--:${kind === 'anime' ? '' : '|--:'}|--:|--:|---|\n`
    for (const entry of some) yield row(kind, entry)
  }
}

function row(kind: Kind, { work, noted }: FileEntry): string {
  const cells = [
    `[${plain(work.title)}](https://myanimelist.net/${kind}/${work.id})`,
    plain(mediaTypeWord(work.mediaType)),
    work.year ?? '',
    `${noted.progress ?? 0} / ${work.units ?? '?'}`,
    ...(kind === 'manga' ? [`${noted.volumes ?? 0} / ${work.volumes ?? '?'}`] : []),
    noted.score ?? '',
    work.mean ?? '',
    plain((noted.tags ?? []).join(', ')),
  ]
  return `| ${cells.join(' | ')} |\n`
}

/** Text of strangers in a cell: one line, and nothing in it is markup. */
function plain(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|#~]/g, '\\$&')
}
