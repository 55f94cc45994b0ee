import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findPlainText } from '../../src/vault/plain-text.ts'
import { newDirectory } from '../stores/databases.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')

function openPlace() {
  const [{ dataDir }, { dataDir: directory }] = [newDirectory(), newDirectory()]
  const write = (file: string, text: string) => writeFileSync(file, text, { mode: 0o600 })
  const find = (environment: Record<string, string> = {}) => findPlainText({ dataDir, directory, environment })
  return { dataDir, directory, write, find, files: () => find().map(({ about, file }) => [about, file]) }
}

test('where nothing lies around nothing is found', () => {
  expect(openPlace().find()).toEqual([])
})

test('a root key is told of while it is in plain text, and more urgently while others can read it', () => {
  const place = openPlace()
  const file = join(place.dataDir, 'root.key')
  place.write(file, KEY)
  expect(place.find()).toMatchObject([{ about: 'root key', file, reason: expect.stringContaining('in plain text') }])
  chmodSync(file, 0o640)
  expect(place.find()).toMatchObject([{ about: 'root key', file, reason: expect.stringContaining('others') }])
  chmodSync(file, 0o600)
  expect(place.find({ SEKISHO_ROOT_KEY: KEY })).toEqual([])
  place.write(file, '{"sekisho":"root key"}')
  expect(place.find()).toEqual([])
  chmodSync(file, 0o640)
  expect(place.find()).toMatchObject([{ about: 'root key', file }])
})

test('a tokens.json is found beside the data and where the gate is started, if tokens are in it', () => {
  const place = openPlace()
  for (const at of [place.dataDir, place.directory])
    place.write(join(at, 'tokens.json'), '{ "access_token": "HIDDEN" }')
  expect(place.files()).toEqual([place.dataDir, place.directory].map((at) => ['tokens', join(at, 'tokens.json')]))
  expect(JSON.stringify(place.find())).not.toContain('HIDDEN')
  place.write(join(place.dataDir, 'tokens.json'), '{ "color": { "primary": "#123456" } }')
  place.write(join(place.directory, 'tokens.json'), `${' '.repeat(1_048_576)}"access_token"`)
  expect(place.files()).toEqual([])
})

test('one directory that is both is looked through once; what cannot be read is passed over', () => {
  const { dataDir } = newDirectory()
  const places = { dataDir, directory: dataDir, environment: {} }
  writeFileSync(join(dataDir, 'tokens.json'), '{"access_token":"x"}')
  expect(findPlainText(places)).toHaveLength(1)
  mkdirSync(join(dataDir, 'sign-ins.json'))
  expect(findPlainText(places)).toHaveLength(1)
})

test('sign-ins of the command line are told of while the file has their tokens', () => {
  const place = openPlace()
  const file = join(place.dataDir, 'sign-ins.json')
  place.write(file, '{"https://gate.example.com/mcp":{"accessToken":"HIDDEN"}}')
  expect(place.files()).toEqual([['sign-ins', file]])
  place.write(file, '{"https://gate.example.com/mcp":{"inKeyring":"sign-in abc"}}')
  expect(place.files()).toEqual([])
})

test('a root key that is no file, or that cannot be read here, is passed over as well', () => {
  const place = openPlace()
  mkdirSync(join(place.dataDir, 'root.key'))
  expect(place.find()).toEqual([])
  const loop = join(place.dataDir, 'loop.key')
  symlinkSync(loop, loop)
  expect(place.find({ SEKISHO_ROOT_KEY_FILE: loop })).toEqual([])
  expect(place.find({ SEKISHO_ROOT_KEY_FILE: join(loop, 'root.key') })).toEqual([])
})

test('what a change of the root key left beside it is told of, whatever process it was of', () => {
  const place = openPlace()
  const at = (name: string) => join(place.dataDir, name)
  for (const name of ['root.key.71.trial', 'root.key.71.new', 'root.key.8.trial.8.new']) place.write(at(name), KEY)
  place.write(at('root.key.72.trial'), '{"sekisho":"root key"}')
  for (const name of ['root.key.old', 'root.key.pub', 'other.key.71.new']) place.write(at(name), KEY)
  const ends = ['71.new', '71.trial', '8.trial.8.new']
  expect(new Set(place.find().map(({ file }) => file))).toEqual(new Set(ends.map((end) => at(`root.key.${end}`))))
  expect(place.find()[0]).toMatchObject({ reason: expect.stringContaining('cut off') })
})
