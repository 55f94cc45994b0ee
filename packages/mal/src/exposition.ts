import type { Count } from '#kit/counters'
import type { Renewals } from './auth/credentials.ts'

export interface Measured {
  readonly counts: readonly Count[]
  /** Where this server renews a token by itself. */
  readonly renewals: Renewals | undefined
}

/**
 * What is counted, as Prometheus reads it. Divided by the number, the seconds are the mean time of an operation. Of
 * users it says nothing.
 *
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/ Prometheus text format}
 */
export function writeMetrics({ counts, renewals }: Measured): string {
  return [
    ...family(
      'sekisho_mal_operations_total',
      'Tool calls, requests and readings from memory, by how they ended.',
      counts.map(({ what, outcome, count }) => ({ labels: { what, outcome }, value: count })),
    ),
    ...family(
      'sekisho_mal_operation_seconds_total',
      'How long they took together.',
      counts.map(({ what, outcome, totalMs }) => ({ labels: { what, outcome }, value: totalMs / 1000 })),
    ),
    ...family(
      'sekisho_mal_token_renewals_total',
      'Renewals of the access token of the environment.',
      renewals === undefined
        ? []
        : [
            { labels: { outcome: 'ok' }, value: renewals.succeeded },
            { labels: { outcome: 'failed' }, value: renewals.failed },
          ],
    ),
    '',
  ].join('\n')
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

function family(name: string, help: string, samples: readonly Sample[]): string[] {
  const rows = samples.map(({ labels, value }) => {
    const named = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    return `${name}{${named.join(',')}} ${value}`
  })
  return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...rows]
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
