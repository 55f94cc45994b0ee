import { toolsets } from '../../src/tools/tool.ts'
import type { Emulated } from './emulated.ts'

/** What reading something costs a model, by the rule of thumb of four characters to a token. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4)
}

/** What stands in every conversation, and what one answer brings: more than this is too much. */
export const budgets = { core: 6000, summary: 4000 } as const

export interface Cost {
  readonly name: string
  readonly tokens: number
}

export const eras = ['2026-07-28', 'legacy'] as const

/** What `tools/list` costs, tool by tool, for each toolset, as a client of one era is answered. */
export async function listCosts(
  emulated: Emulated,
  era: (typeof eras)[number],
): Promise<ReadonlyMap<string, readonly Cost[]>> {
  const costs = new Map<string, readonly Cost[]>()
  for (const toolset of toolsets) {
    const listed = await emulated.list(toolset, { legacy: era === 'legacy' })
    costs.set(
      toolset,
      listed.map((tool) => ({ name: tool.name, tokens: tokensOf(JSON.stringify(tool)) })),
    )
  }
  return costs
}

/** What a list of 300 entries costs in one answer: a client shows a model the text of it, or the structure. */
export async function summaryCosts(emulated: Emulated): Promise<readonly Cost[]> {
  const lists = [
    { user: 'reader', kind: 'anime' },
    { user: 'haru', kind: 'manga' },
  ]
  const costs: Cost[] = []
  for (const { user, kind } of lists) {
    const { text, structured } = await emulated.call(user, 'analyze_taste', { kind })
    costs.push({ name: `${kind}, text`, tokens: tokensOf(text) })
    costs.push({ name: `${kind}, structured`, tokens: tokensOf(JSON.stringify(structured)) })
  }
  return costs
}

export function totalOf(costs: readonly Cost[]): number {
  return costs.reduce((total, { tokens }) => total + tokens, 0)
}
