import { oneLine } from '../../list/one-line.ts'

/** Text in HTML, between tags and within quoted attributes: one line, and nothing in it is markup. */
export function escape(text: string | number): string {
  return oneLine(String(text))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** 1234567 → `1,234,567`. */
export function figure(value: number, digits = 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
