import type { ServerResponse } from 'node:http'
import type { Log } from '../base/log.ts'
import { sendJson } from '../http/router.ts'

/** One thing the gate cannot serve without. */
export interface HealthCheck {
  readonly name: string
  check(): Promise<void>
}

interface HealthNeeds {
  readonly checks: readonly HealthCheck[]
  /** How each provider was found when it was last looked at. */
  providers(): Readonly<Record<string, string>>
  readonly log: Log
}

const CHECK_MS = 2_000

/**
 * Says whether the process lives, and whether it can serve. An upstream or a provider that is down does not make the
 * gate unready: it costs its own tools only, or the renewal of its own connections.
 */
export function createHealth({ checks, providers, log }: HealthNeeds) {
  let stopping = false

  async function run({ name, check }: HealthCheck): Promise<[string, 'ok' | 'failed']> {
    try {
      await Promise.race([check(), timeout()])
      return [name, 'ok']
    } catch (error) {
      log.warn({ check: name, error }, 'health.failed')
      return [name, 'failed']
    }
  }

  return {
    live: (response: ServerResponse) => sendJson(response, 200, { status: 'ok' }),
    /** Which providers there are is for the operator; everybody is told only whether all of them were found. */
    async ready(response: ServerResponse, { toOperator }: { readonly toOperator: boolean }): Promise<void> {
      const results = await Promise.all(checks.map(run))
      const ok = !stopping && results.every(([, result]) => result === 'ok')
      const status = stopping ? 'stopping' : ok ? 'ok' : 'failed'
      sendJson(response, ok ? 200 : 503, {
        status,
        checks: Object.fromEntries(results),
        providers: toOperator ? providers() : together(providers()),
      })
    },
    /** From now on the gate is not ready: whoever sends it requests should stop. */
    stop: () => {
      stopping = true
    },
  }
}

function together(found: Readonly<Record<string, string>>): string {
  const states = Object.values(found)
  return states.find((state) => state === 'unreachable') ?? states.find((state) => state !== 'ok') ?? 'ok'
}

function timeout(): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS).unref()
  })
}
