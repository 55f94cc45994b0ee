import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findWithin, readPages } from '../src/paging.ts'

const base = new URL('https://api.example.test/v2')

describe('R2-15: the address of a next page', () => {
  test('is followed within the API, and nowhere else', () => {
    expect(findWithin('https://api.example.test/v2/users/@me/list?offset=100', base)?.search).toBe('?offset=100')
    for (const elsewhere of [
      'http://api.example.test/v2/x',
      'https://api.example.test:8443/v2/x',
      'https://api.example.test.evil.example/v2/x',
      'https://api.example.test@evil.example/v2/x',
      'https://user:word@api.example.test/v2/x',
      'https://api.example.test/v20/x',
      'https://api.example.test/v2/../v1/oauth2/token',
      '//evil.example/v2/x',
      '/v2/x',
      'javascript:alert(1)',
      '',
    ]) {
      expect({ elsewhere, found: findWithin(elsewhere, base)?.href }).toEqual({ elsewhere, found: undefined })
    }
  })

  test('property: whatever is followed has the origin and the path of the API', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()), fc.string(), (address, path) => {
        for (const candidate of [address, `https://api.example.test/v2/${path}`, `https://api.example.test${path}`]) {
          const url = findWithin(candidate, base)
          expect(url === undefined || (url.origin === base.origin && url.pathname.startsWith('/v2/'))).toBe(true)
        }
      }),
    )
  })
})

describe('a pass over pages', () => {
  test('property: it takes each page once, ends, and says whether there is more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (sizes, most) => {
          let count = 0
          let taken = 0
          const hasMore = await readPages<number>({
            first: async () => 0,
            next: (page) => (page + 1 < sizes.length ? async () => page + 1 : undefined),
            take(page) {
              taken += 1
              return (count += sizes[page] ?? 0)
            },
            most,
            onProgress: async () => {},
          })
          expect(taken).toBeLessThanOrEqual(sizes.length)
          const all = sizes.reduce((sum, size) => sum + size, 0)
          expect(hasMore).toBe(taken < sizes.length || all > most)
        },
      ),
    )
  })
})
