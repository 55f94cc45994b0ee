import type { Bar, Figures } from './figures.ts'
import { escape, figure } from './html.ts'

/** One line in the colours of the states, what each of them means, and the way to those that are shown below. */
export function statusChart({ byStatus, total }: Figures, shown: ReadonlySet<string>): string {
  let from = 0
  const parts = byStatus.map(({ status, count }) => {
    const width = total === 0 ? 0 : (count / total) * 100
    const part = `<rect class="s-${escape(status)}" x="${from.toFixed(3)}%" width="${width.toFixed(3)}%" height="100%"/>`
    from += width
    return count === 0 ? '' : part
  })
  const keys = byStatus.map(
    ({ status, label, count }) =>
      `<li><svg class="dot" aria-hidden="true"><circle class="s-${escape(status)}" cx="5" cy="5" r="5"/></svg>` +
      `${shown.has(status) ? `<a href="#${escape(status)}">${escape(label)}</a>` : escape(label)} <b>${figure(count)}</b></li>`,
  )
  const says = byStatus.map(({ label, count }) => `${label} ${count}`).join(', ')
  return (
    `<svg class="line" role="img" aria-label="${escape(says)}">${parts.join('')}</svg>` +
    `<ul class="keys">${keys.join('')}</ul>`
  )
}

const WIDTH = 340
const HEIGHT = 150
const FLOOR = 128
const TOP = 18

/** Columns side by side, with the count above and the label below each. */
export function columnChart(bars: readonly Bar[], says: string): string {
  const most = Math.max(1, ...bars.map(({ count }) => count))
  const step = WIDTH / Math.max(1, bars.length)
  const width = Math.min(28, step * 0.72)
  const short = (label: string) => (bars.length > 8 && /^\d{4}$/.test(label) ? `’${label.slice(2)}` : label)
  const columns = bars.map(({ label, count }, place) => {
    const middle = step * (place + 0.5)
    const height = count === 0 ? 0 : Math.max(2, (count / most) * (FLOOR - TOP))
    const column =
      `<rect class="column" x="${(middle - width / 2).toFixed(1)}" y="${(FLOOR - height).toFixed(1)}" ` +
      `width="${width.toFixed(1)}" height="${height.toFixed(1)}" rx="3"/>`
    const above = `<text class="count" x="${middle.toFixed(1)}" y="${(FLOOR - height - 5).toFixed(1)}">${figure(count)}</text>`
    const below = `<text x="${middle.toFixed(1)}" y="${HEIGHT - 5}">${escape(short(label))}</text>`
    return `${column}${count === 0 ? '' : above}${below}`
  })
  const told = bars.map(({ label, count }) => `${label}: ${count}`).join(', ')
  return (
    `<svg class="columns" role="img" aria-label="${escape(`${says}. ${told}`)}" viewBox="0 0 ${WIDTH} ${HEIGHT}">` +
    `<path class="floor" d="M0 ${FLOOR + 0.5}H${WIDTH}"/>${columns.join('')}</svg>`
  )
}

/** Lines one below the other: what, how many, and how the user liked it. */
export function barChart(bars: readonly Bar[], what: string): string {
  const most = Math.max(1, ...bars.map(({ count }) => count))
  const rows = bars.map(
    ({ label, count, mean }) =>
      `<tr><th scope="row">${escape(label)}</th>` +
      `<td class="wide"><svg class="bar" aria-hidden="true"><rect width="${((count / most) * 100).toFixed(1)}%" height="100%" rx="3"/></svg></td>` +
      `<td>${figure(count)}</td><td class="soft">${mean === undefined ? '–' : mean.toFixed(1)}</td></tr>`,
  )
  return (
    `<table class="bars"><thead class="unseen"><tr><th scope="col">${escape(what)}</th><th scope="col">Share</th>` +
    `<th scope="col">Entries</th><th scope="col">Mean score</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
  )
}
