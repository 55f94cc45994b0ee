import { describe, expect, test } from 'vitest'
import { startEmulated } from './support/emulated.ts'
import { budgets, eras, listCosts, summaryCosts, totalOf } from './support/tokens.ts'

describe('what a model has to read', () => {
  test.each(eras)('the default toolset stays within its budget, schemas and all (%s)', async (era) => {
    await using emulated = await startEmulated()
    const core = (await listCosts(emulated, era)).get('core') ?? []
    expect(core.map(({ name }) => name)).toContain('get_my_anime_list')
    expect(totalOf(core)).toBeLessThan(budgets.core)
  })

  test('a list of 300 entries stays within its budget, in words and as data', async () => {
    await using emulated = await startEmulated()
    expect((await emulated.call('reader', 'analyze_taste')).structured).toMatchObject({ total: 300, truncated: false })
    const over = (await summaryCosts(emulated)).filter(({ tokens }) => tokens >= budgets.summary)
    expect(over).toEqual([])
  })
})
