import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splice } from '../../src/base/json-spans.ts'
import {
  exposeName,
  exposeTask,
  exposeUri,
  exposeUriAt,
  readTask,
  readUri,
  serverOf,
} from '../../src/registry/names.ts'

/** Control characters, and what takes more than one of anything to write. */
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }))

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

describe('URIs and tasks on the merged endpoint', () => {
  test('a URI has its server in front; what shows an app keeps its scheme, by which hosts know it', () => {
    expect(exposeUri('everything', 'test://template/{id}/data')).toBe('everything+test://template/{id}/data')
    expect(exposeUri('maps', 'ui://globe/index.html')).toBe('ui://maps+globe/index.html')
  })

  test('the beginning is a scheme wherever the URI has one, whatever the server is called', () => {
    fc.assert(
      fc.property(server, (id) => {
        expect(exposeUri(id, 'test://x')).toMatch(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/x$/)
      }),
    )
    expect(exposeUri('my_maps', 'test://x')).toBe('my.maps+test://x')
    expect(exposeUri('7eleven', 'test://x')).toBe('s..7eleven+test://x')
  })

  test('every URI and every id comes back exactly, whatever it holds', () => {
    const text = fc.oneof(anyText, fc.constantFrom('', '+', 'ui://', 'ui://+', 'a+ui://b', 'UI://x'))
    fc.assert(
      fc.property(server, text, (id, own) => {
        expect(readUri(exposeUri(id, own))).toEqual({ server: id, uri: own })
        expect(readUri(exposeUri(id, `ui://${own}`))).toEqual({ server: id, uri: `ui://${own}` })
        expect(readTask(exposeTask(id, own))).toEqual({ server: id, id: own })
      }),
    )
  })

  test('one exposed URI is read in one way only', () => {
    const parts = fc.tuple(fc.constantFrom('', 'ui://'), fc.constantFrom('a', 'my.maps', 's..7eleven', ''), anyText)
    fc.assert(
      fc.property(parts, ([scheme, id, rest]) => {
        const exposed = `${scheme}${id}+${rest}`
        const read = readUri(exposed)
        expect(read && exposeUri(read.server, read.uri)).toBe(id === '' ? undefined : exposed)
      }),
    )
    expect(readUri('maps+ui://globe')).toBeUndefined()
  })

  test('what the gate cannot have made names no server', () => {
    for (const text of ['', 'test://static-text', '+x', 'a b+x', 'ui://globe', 'ui://+globe', '../a+x']) {
      expect([text, readUri(text)]).toEqual([text, undefined])
    }
    expect(readTask('786512e2')).toBeUndefined()
  })

  test('written into a JSON text, everything of the URI stays as it was spelled', () => {
    const written = (text: string) => {
      const bytes = Buffer.from(text)
      const edit = exposeUriAt(bytes, { start: 0, end: bytes.length }, 'a')
      return edit && splice(bytes, [edit]).toString()
    }
    expect(written(String.raw`"test:\/\/\u0065\ud800é"`)).toBe(String.raw`"a+test:\/\/\u0065\ud800é"`)
    expect(written('"ui://globe"')).toBe('"ui://a+globe"')
    expect(written(String.raw`"ui:\/\/globe"`)).toBe('"ui://a+globe"')
    expect(written('{"uri":1}')).toBeUndefined()
    fc.assert(
      fc.property(anyText, (uri) => {
        expect(JSON.parse(written(JSON.stringify(uri)) ?? '')).toBe(exposeUri('a', uri))
      }),
    )
  })
})
