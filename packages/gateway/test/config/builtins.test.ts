import { toolsets } from '@sekisho/mal/toolsets'
import { expect, test } from 'vitest'
import { BUILTIN_TOOLSETS } from '../../src/config/builtins.ts'

test('the configuration knows the toolsets that the MyAnimeList server has', () => {
  expect(BUILTIN_TOOLSETS['mal']).toEqual(toolsets)
})
