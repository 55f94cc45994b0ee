import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exposeName, serverOf } from '../../src/registry/names.ts'

const LIMIT = 50
const server = fc.stringMatching(/^[a-z0-9]([a-z0-9-]|_[a-z0-9])*$/).filter((name) => name.length <= 24)

describe('names on the merged endpoint', () => {
  test('an ordinary name is server__tool', () => {
    expect(exposeName('github', 'search_issues', LIMIT)).toBe('github__search_issues')
  })

  test('every name fits, has only characters that every client takes, and still tells its server', () => {
    fc.assert(
      fc.property(server, fc.string({ minLength: 1, maxLength: 200 }), (id, tool) => {
        const name = exposeName(id, tool, LIMIT)
        expect(name).toMatch(/^[A-Za-z0-9_-]{1,50}$/)
        expect(serverOf(name)).toBe(id)
      }),
    )
  })

  test('two tools never share a name', () => {
    const tools = fc.tuple(server, fc.string({ minLength: 1 }), server, fc.string({ minLength: 1 }))
    fc.assert(
      fc.property(tools, ([oneServer, oneTool, otherServer, otherTool]) => {
        fc.pre(oneServer !== otherServer || oneTool !== otherTool)
        expect(exposeName(oneServer, oneTool, LIMIT)).not.toBe(exposeName(otherServer, otherTool, LIMIT))
      }),
    )
    expect(exposeName('a', 'x/y', LIMIT)).not.toBe(exposeName('a', 'x.y', LIMIT))
    expect(exposeName('a', `${'x'.repeat(80)}1`, LIMIT)).not.toBe(exposeName('a', `${'x'.repeat(80)}2`, LIMIT))
  })
})
