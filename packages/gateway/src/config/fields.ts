import { z } from 'zod'
import { LONGEST_TIMER_MS } from '../base/clock.ts'
import type { Trouble } from './report.ts'

/** Milliseconds, from 1. */
export const duration = () => z.int().min(1).max(LONGEST_TIMER_MS)

/** Megabytes (2²⁰ bytes), from 16: less than any process needs to start. */
export const megabytes = () => z.int().min(16).max(1_048_576)

/** A size in bytes, from 1 KiB to 1 GiB. */
export const bytes = () => z.int().min(1024).max(1_073_741_824)

/** How many, from 1. */
export const count = () => z.int().min(1).max(1_000_000)

/** Fails a check of zod's with a reason and a fix of our own, which `shape.ts` hands on. */
export function reject(check: z.RefinementCtx, { reason, fix }: Trouble): void {
  check.addIssue({ code: 'custom', message: reason, params: { fix } })
}
