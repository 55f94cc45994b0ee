import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rooms } from '../src/rooms.ts'
import { readSource, roomOf, sourceFolder, type SourceFile } from './architecture/source.ts'
import { walls } from './architecture/walls.ts'

const files = readSource()
const table: Readonly<Record<string, { floor: number; imports: readonly string[] }>> = rooms
/** The files that stand in src/ itself. */
const roots = new Set(files.filter(({ path }) => !path.includes('/')).map(({ room }) => room))

describe('imports go down', () => {
  test('every folder is a room of the table, and every room has its README', () => {
    const folders = readdirSync(sourceFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(table).sort())
    expect(Object.keys(table).filter((room) => !existsSync(join(sourceFolder, room, 'README.md')))).toEqual([])
  })

  test('the table itself has no arrow sideways or up', () => {
    const arrows = Object.entries(table).flatMap(([room, { floor, imports }]) =>
      imports
        .filter((other) => !roots.has(other) && (table[other]?.floor ?? Infinity) >= floor)
        .map((other) => `${room} → ${other}`),
    )
    expect(arrows).toEqual([])
  })

  test('every import of the source, of types too, is an arrow of the table', () => {
    const strays = files.flatMap((file) =>
      file.uses.filter((used) => !mayUse(file, used)).map((used) => `${file.path} → ${used}`),
    )
    expect(strays).toEqual([])
  })

  test('every import is found where it says, and none is computed', () => {
    const paths = new Set(files.map(({ path }) => path))
    const lost = files.flatMap(({ path, uses, imports }) => [
      ...uses.filter((used) => !paths.has(used) && !used.endsWith('.json')).map((used) => `${path} → ${used}`),
      ...imports.filter(({ from }) => from === undefined).map(() => `${path} → computed`),
    ])
    expect(lost).toEqual([])
  })

  test('no files import each other in a circle', () => {
    expect(findCircles(files)).toEqual([])
  })
})

/** Files that stand in src/ itself put the rooms together; a room enters one only where the table says so. */
function mayUse({ room }: SourceFile, used: string): boolean {
  const other = roomOf(used)
  const entry = table[room]
  return entry === undefined ? other !== 'main' : other === room || entry.imports.includes(other)
}

function findCircles(all: readonly SourceFile[]): string[] {
  const uses = new Map(all.map((file) => [file.path, file.uses]))
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(' → ')]
    if (done.has(path)) return []
    const circles = (uses.get(path) ?? []).flatMap((used) => visit(used, [...trail, path]))
    done.add(path)
    return circles
  }
  return all.flatMap(({ path }) => visit(path, []))
}

describe('the private walls', () => {
  test.for(walls)('$what is known only behind its wall', ({ behind, find }) => {
    const outside = files.filter(({ path }) => !behind.some((start) => path.startsWith(start)))
    expect(outside.flatMap((file) => find(file).map((found) => `${file.path}: ${found}`))).toEqual([])
  })

  test.for(walls)('$what is known behind its wall, so that the rule above finds it', ({ behind, find }) => {
    const inside = files.filter(({ path }) => behind.some((start) => path.startsWith(start)))
    expect(inside.flatMap(find)).not.toEqual([])
  })
})

describe('files', () => {
  test('no file is longer than 400 lines', () => {
    expect(files.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([])
  })

  test('a room is entered through its named files, not through a barrel', () => {
    expect(files.filter(({ path }) => basename(path).startsWith('index.')).map(({ path }) => path)).toEqual([])
  })
})
