import { expect, test } from 'vitest'
import { scan } from './imports.ts'

const modules = (source: string) => scan(source).imports.map(({ from }) => from)

test('every form of an import is found', () => {
  const source = `
    import a from 'a'
    import * as b from "b"
    import c, { d as e } from 'c'
    import {
      f,
      type G,
    } from './f.ts'
    import type { H } from 'h'
    export { i } from 'i'
    export * from 'j'
    export type { K } from 'k'
    import 'l'
    const m = await import('m')
    type N = typeof import('n')
    const o = require('o')
    import{p}from'p'
    const q = await import('q', { with: { type: 'json' } })
  `
  expect(modules(source).toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
    './f.ts',
    'a',
    'b',
    'c',
    'h',
    'i',
    'j',
    'k',
    'l',
    'm',
    'n',
    'o',
    'p',
    'q',
  ])
})

test('an import that names no module is told, for nobody could say where it leads', () => {
  expect(modules('const a = await import(name)')).toEqual([undefined])
  expect(modules('const a = await import(`./${name}.ts`)')).toEqual([undefined])
})

test('what only looks like one is passed over', () => {
  const source = [
    `// import a from 'a'`,
    `/* import b from 'b' */`,
    `/** import('c') */`,
    `const d = "import d from 'd'"`,
    `const e = 'it\\'s import("e")'`,
    'const f = `import f from "f" ${`nested ${1} import("g")`} import("h")`',
    `const i = /import ['"]i['"]/`,
    `const j = 4 / 2; const k = "import 'k'" / 1`,
    `export const from = 'l'`,
    `export const m = { from: 'm' }`,
    `object.import('n'); object.require('o')`,
    `const url = 'http://x' // import 'p'`,
    `if (a) return /[/"]import 'q'/.test(b)`,
    `const importFrom = 'r'`,
    `function require(name) {}; require(name)`,
  ]
  expect(modules(source.join('\n'))).toEqual([])
})

test('code within a template is code', () => {
  expect(modules('const a = `x ${await import("a")} y ${{ b: `${require("c")}` }.b} import("d")`')).toEqual(['a', 'c'])
})

test('a regular expression or a quote in a comment does not hide what follows', () => {
  expect(modules(`const a = b.replace(/'/g, '')\nimport c from 'c'`)).toEqual(['c'])
  expect(modules(`// it's here\nimport c from 'c'\n/* " */ import d from 'd'`)).toEqual(['c', 'd'])
})

test('types are told from values', () => {
  const kinds = (source: string) => scan(source).imports.map(({ typeOnly }) => typeOnly)
  expect(kinds(`import type { A } from 'a'; import { type B, type C } from 'b'; export type { D } from 'd'`)).toEqual([
    true,
    true,
    true,
  ])
  expect(kinds(`import { type A, b } from 'a'; import type, { c } from 'c'; import d from 'd'; import 'e'`)).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(kinds(`type A = typeof import('a'); const b = await import('b')`)).toEqual([true, false])
})

test('names are kept, so that what is taken from a module can be judged', () => {
  expect(scan(`import { createServer, request as r } from 'node:http'`).imports).toMatchObject([
    { clause: '{ createServer, request as r }' },
  ])
})
