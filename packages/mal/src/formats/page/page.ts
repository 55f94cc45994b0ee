import { createHash } from 'node:crypto'
import type { FileEntry, ListFile } from '../file.ts'
import { mediaTypeWord, statusWord } from '../xml/words.ts'
import { barChart, columnChart, statusChart } from './charts.ts'
import { countFigures, statusesOf, type Figures } from './figures.ts'
import { escape, figure } from './html.ts'
import { script } from './script.ts'
import { style } from './style.ts'

export interface PageOptions {
  /** When the page is made, in milliseconds. */
  readonly now: number
  /** Whether covers are shown. They come from MyAnimeList whenever somebody opens the page. */
  readonly covers: boolean
  /** Where covers may come from besides HTTPS: the origin of a MyAnimeList that is emulated on this machine. */
  readonly localCovers?: string | undefined
  /** Where the list is only a part of another one: which part. The figures of a page are those of the whole. */
  readonly part?: Part | undefined
}

export interface Part {
  /** How many entries stand before it. */
  readonly offset: number
  readonly whole: readonly FileEntry[]
}

/**
 * A list as one web page, piece by piece: charts, and every entry with search, filter and order. It holds everything
 * it needs, loads nothing but covers where they are wanted, and its own policy allows nothing else. It is complete
 * without scripts, on paper and on a small screen.
 */
export function* writePage(list: ListFile, options: PageOptions): Generator<string> {
  const figures = countFigures(list.kind, options.part?.whole ?? list.entries)
  const sections = statusesOf(list.kind, list.entries).flatMap((status) => {
    const entries = list.entries.filter(({ noted }) => (noted.status ?? 'unknown') === status)
    return entries.length === 0 ? [] : { status, entries }
  })
  const shown = new Set(sections.map(({ status }) => status))
  yield head(list, options)
  yield charts(list, figures, shown)
  yield tools(figures, shown)
  for (const { status, entries } of sections) yield* section(status, best(entries), options)
  yield foot(options)
}

function head({ kind, owner, entries }: ListFile, { covers, localCovers, part }: PageOptions): string {
  const name = kind === 'anime' ? 'anime list' : 'manga list'
  const title =
    owner?.name === undefined ? name.replace(/^\w/, (letter) => letter.toUpperCase()) : `${owner.name}’s ${name}`
  const policy = [
    "default-src 'none'",
    `style-src '${hash(style)}'`,
    `script-src '${hash(script)}'`,
    `img-src ${covers ? ['https:', localCovers].filter(Boolean).join(' ') : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer">
<title>${escape(title)}</title><style>${style}</style></head>
<body${covers ? ' class="covers"' : ''}><header><h1>${escape(title)}</h1>${part ? `<p>${partWords(part, entries.length)}</p>` : ''}
`
}

/** `Entries 1–1,000 of 1,500; the figures are of all of them.` */
function partWords({ offset, whole }: Part, count: number): string {
  const from = count === 0 ? 'None' : `Entries ${figure(offset + 1)}–${figure(offset + count)}`
  return `${from} of ${figure(whole.length)}; the figures are of all of them.`
}

function charts({ kind }: ListFile, figures: Figures, shown: ReadonlySet<string>): string {
  const { total, mean, scored, units, repeated, days, volumes, scores, genres, types, decades, finished } = figures
  const completed = figures.byStatus.find(({ status }) => status === 'completed')?.count ?? 0
  const tiles = [
    ['Entries', figure(total)],
    ['Completed', figure(completed)],
    [kind === 'anime' ? 'Episodes watched' : 'Chapters read', figure(units) + again(repeated)],
    days === undefined ? ['Volumes read', figure(volumes)] : ['Days of watching', figure(days, 1)],
    ['Scored', figure(scored)],
    ['Mean score', mean === undefined ? '–' : mean.toFixed(2)],
  ]
  return `<dl class="tiles">${tiles.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('')}</dl>
</header><main><div class="charts">
<section class="chart full"><h2>Status</h2>${statusChart(figures, shown)}</section>
${chart('Scores', scored > 0 && columnChart(scores, 'How many entries have each score'))}
${chart('Finished by year', finished.length > 1 && columnChart(finished, 'How many entries were finished in each year'))}
${chart('Decades', decades.length > 1 && columnChart(decades, 'How many entries come from each decade'))}
${chart('Genres <span>entries, my mean</span>', genres.length > 0 && barChart(genres, 'Genre'))}
${chart('Types <span>entries, my mean</span>', types.length > 0 && barChart(types, 'Type'))}
</div>
`
}

function chart(name: string, drawing: string | false): string {
  return drawing === false ? '' : `<section class="chart"><h2>${name}</h2>${drawing}</section>`
}

/** What was gone through once more counts as time spent, and not as something else seen. */
function again(repeated: number): string {
  return repeated === 0 ? '' : ` <small>and ${figure(repeated)} again</small>`
}

/** Shown by the script, which alone makes it work. */
function tools({ byStatus }: Figures, shown: ReadonlySet<string>): string {
  const states = byStatus
    .filter(({ status }) => shown.has(status))
    .map(({ status, label }) => `<option value="${escape(status)}">${escape(label)}</option>`)
  return `<form class="tools" hidden><label class="find">Search<input type="search" name="find" autocomplete="off"></label>
<label>Status<select name="status"><option value="">All</option>${states.join('')}</select></label>
<label>Order<select name="sort"><option value="score">My score</option><option value="mean">Community score</option>
<option value="title">Title</option><option value="year">Year</option><option value="updated">Last change</option></select></label>
<output name="shown"></output></form>
`
}

function* section(status: string, entries: readonly FileEntry[], options: PageOptions): Generator<string> {
  yield (
    `<section id="${escape(status)}" data-status="${escape(status)}">` +
      `<h2>${escape(statusWord(status))}<span>${figure(entries.length)}</span></h2><ul class="entries">\n`
  )
  for (const entry of entries) yield row(entry, options)
  yield '</ul></section>\n'
}

function row({ work, noted }: FileEntry, options: PageOptions): string {
  const { kind, id, title } = work
  const english = work.englishTitle === title ? undefined : work.englishTitle
  const about = [english, mediaTypeWord(work.mediaType), work.year, work.genres.slice(0, 4).join(', ')]
  const tags = (noted.tags ?? []).map((tag) => `#${tag}`).join(' ')
  const data = {
    title,
    score: noted.score ?? 0,
    mean: work.mean ?? 0,
    year: work.year ?? 0,
    updated: noted.updatedAt ?? '',
  }
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escape(value)}"`)
  const score =
    (noted.score ?? '') +
    (work.mean === undefined ? '' : `<small title="Community score">${work.mean.toFixed(2)}</small>`)
  return `<li class="entry s-${escape(noted.status ?? 'unknown')}"${attributes.join('')}>${cover(work.picture, options)}\
<b><a href="https://myanimelist.net/${kind}/${id}">${escape(title)}</a></b><span class="score">${score}</span>\
<span class="about">${escape([...about, tags].filter(Boolean).join(' · '))}</span>${way({ work, noted })}</li>
`
}

function cover(address: string | undefined, { covers, localCovers }: PageOptions): string {
  if (!covers) return ''
  const url = address === undefined ? null : URL.parse(address)
  return address !== undefined && (url?.protocol === 'https:' || (url !== null && url.origin === localCovers))
    ? `<img class="cover" src="${escape(address)}" alt="" loading="lazy" width="46" height="65">`
    : '<span class="cover"></span>'
}

/** How far somebody has come. */
function way({ work, noted }: FileEntry): string {
  const done = noted.progress ?? 0
  const part = work.units ? Math.min(1, done / work.units) : done > 0 ? 0.5 : 0
  const unit = work.kind === 'anime' ? 'ep' : 'ch'
  const repeats = noted.timesRepeated ? ` · ${noted.timesRepeated + 1}×` : ''
  const volumes = work.kind === 'manga' && noted.volumes ? ` · ${noted.volumes}/${work.volumes ?? '?'} vol` : ''
  return `<span class="way"><svg aria-hidden="true"><rect width="${Math.round(part * 100)}%" height="100%" rx="2"/></svg>\
${done}/${work.units ?? '?'} ${unit}${volumes}${repeats}</span>`
}

function best(entries: readonly FileEntry[]): readonly FileEntry[] {
  return entries.toSorted(
    (a, b) => (b.noted.score ?? 0) - (a.noted.score ?? 0) || a.work.title.localeCompare(b.work.title),
  )
}

function foot({ now, covers }: PageOptions): string {
  const date = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(now)
  const images = covers ? ' Covers are loaded from MyAnimeList.' : ''
  return `</main><footer>Made on ${date} from a list on <a href="https://myanimelist.net">MyAnimeList</a>.${images} Small figures are
the community’s scores.</footer><script>${script}</script></body></html>
`
}

/** @see {@link https://www.w3.org/TR/CSP3/#grammardef-hash-source CSP 3 §2.3.1, hash-source} */
function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
