import { expect, test } from 'vitest'
import { readAttacks } from '../../../../scripts/lib/attacks.ts'

const sources = readAttacks().map(({ source }) => source)

/** The attacks of RFC 9700 are §4.1 to §4.17. */
const SECTIONS = Array.from({ length: 17 }, (_, index) => index + 1)

test.for(SECTIONS)('the threat model has an attack of RFC 9700 §4.%i', (section) => {
  const named = new RegExp(`RFC 9700 .*§4\\.${section}(?![0-9])`)
  expect(sources.filter((source) => named.test(source))).not.toEqual([])
})

/** The attacks of the MCP security best practices, by their headings. */
const HEADINGS = [
  'confused deputy',
  'token passthrough',
  'server-side request forgery',
  'session hijacking',
  'local MCP server compromise',
  'scope minimization',
]

test.for(HEADINGS)('the threat model has the attack “%s” of the MCP security best practices', (heading) => {
  expect(sources).toContain(`MCP security best practices: ${heading}`)
})
