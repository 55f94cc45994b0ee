import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forgotten, openBench, type Bench, type ThirdParty } from './compare.ts'
import { programOf } from './installed.ts'

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const DOCUMENTS = ['architecture', 'extension', 'features', 'how-it-works', 'instructions', 'startup', 'structure']

const everything: ThirdParty = {
  id: 'everything',
  args: [programOf('@modelcontextprotocol/server-everything'), 'stdio'],
  calls: [
    { tool: 'echo', args: { message: 'Grüße, "世界"' } },
    { tool: 'get-annotated-message', args: { messageType: 'error', includeImage: true } },
    { tool: 'get-annotated-message', args: { messageType: 'debug' } },
    { tool: 'get-env', vague: true },
    { tool: 'get-resource-links', args: { count: 4 } },
    { tool: 'get-resource-reference', args: { resourceType: 'Text', resourceId: 1 } },
    { tool: 'get-resource-reference', args: { resourceType: 'Blob', resourceId: 2 }, vague: true },
    { tool: 'get-structured-content', args: { location: 'Chicago' } },
    { tool: 'get-sum', args: { a: 1.5, b: -2 } },
    { tool: 'get-sum', args: { a: 'no number' } },
    { tool: 'get-tiny-image' },
    { tool: 'gzip-file-as-resource', args: { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' } },
    { tool: 'toggle-simulated-logging', vague: true },
    { tool: 'toggle-simulated-logging', vague: true },
    { tool: 'toggle-subscriber-updates', vague: true },
    { tool: 'toggle-subscriber-updates', vague: true },
    { tool: 'trigger-long-running-operation', args: { duration: 0.2, steps: 2 } },
    { tool: 'get-roots-list' },
    { tool: 'trigger-elicitation-request' },
    { tool: 'trigger-sampling-request', args: { prompt: 'Say something', maxTokens: 7 } },
    { tool: 'simulate-research-query', args: { topic: 'tea' } },
    { prompt: 'simple-prompt' },
    { prompt: 'args-prompt', args: { city: 'Edo' } },
    { prompt: 'completable-prompt', args: { department: 'Engineering', name: 'Alice' } },
    { prompt: 'resource-prompt', args: { resourceType: 'Text', resourceId: '1' } },
    ...DOCUMENTS.map((name) => ({ resource: `demo://resource/static/document/${name}.md` })),
    { resource: 'demo://resource/dynamic/text/7' },
    {
      complete: {
        ref: { type: 'ref/prompt', name: 'completable-prompt' },
        argument: { name: 'department', value: 'E' },
      },
    },
    {
      complete: {
        ref: { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' },
        argument: { name: 'resourceId', value: '1' },
      },
    },
  ],
}

const filesystem: ThirdParty = {
  id: 'files',
  args: [programOf('@modelcontextprotocol/server-filesystem'), '%'],
  prepare(folder) {
    mkdirSync(join(folder, 'deep'))
    writeFileSync(join(folder, 'a.txt'), 'one\ntwo\nthree\n')
    writeFileSync(join(folder, 'deep/b.txt'), 'b')
    writeFileSync(join(folder, 'pixel.png'), Buffer.from(PIXEL, 'base64'))
  },
  calls: [
    { tool: 'read_file', args: { path: '%/a.txt' } },
    { tool: 'read_text_file', args: { path: '%/a.txt', head: 2 } },
    { tool: 'read_text_file', args: { path: '/etc/passwd' } },
    { tool: 'read_media_file', args: { path: '%/pixel.png' } },
    { tool: 'read_multiple_files', args: { paths: ['%/a.txt', '%/none.txt', '%/deep/b.txt'] } },
    { tool: 'write_file', args: { path: '%/new.txt', content: 'zwölf\n' } },
    { tool: 'edit_file', args: { path: '%/a.txt', edits: [{ oldText: 'two', newText: 'zwei' }] } },
    { tool: 'create_directory', args: { path: '%/made' } },
    { tool: 'list_directory', args: { path: '%' } },
    { tool: 'list_directory_with_sizes', args: { path: '%', sortBy: 'size' } },
    { tool: 'directory_tree', args: { path: '%' } },
    { tool: 'move_file', args: { source: '%/new.txt', destination: '%/made/new.txt' } },
    { tool: 'search_files', args: { path: '%', pattern: '**/*.txt' } },
    { tool: 'get_file_info', args: { path: '%/deep/b.txt' } },
    { tool: 'list_allowed_directories' },
  ],
}

const memory: ThirdParty = {
  id: 'memory',
  args: [programOf('@modelcontextprotocol/server-memory')],
  env: { MEMORY_FILE_PATH: '%/memory.json' },
  calls: [
    {
      tool: 'create_entities',
      args: {
        entities: [
          { name: 'Ada', entityType: 'person', observations: ['likes tea'] },
          { name: 'Grace', entityType: 'person', observations: [] },
        ],
      },
    },
    { tool: 'create_relations', args: { relations: [{ from: 'Ada', to: 'Grace', relationType: 'knows' }] } },
    { tool: 'add_observations', args: { observations: [{ entityName: 'Ada', contents: ['writes'] }] } },
    { tool: 'read_graph' },
    { resource: 'memory://knowledge-graph' },
    { tool: 'search_nodes', args: { query: 'tea' } },
    { tool: 'open_nodes', args: { names: ['Grace'] } },
    { tool: 'delete_observations', args: { deletions: [{ entityName: 'Ada', observations: ['writes'] }] } },
    { tool: 'delete_relations', args: { relations: [{ from: 'Ada', to: 'Grace', relationType: 'knows' }] } },
    { tool: 'delete_entities', args: { entityNames: ['Grace'] } },
    { tool: 'read_graph' },
  ],
}

const thought = { thought: 'First, look.', thoughtNumber: 1, totalThoughts: 2, nextThoughtNeeded: true }
const thinking: ThirdParty = {
  id: 'thinking',
  args: [programOf('@modelcontextprotocol/server-sequential-thinking')],
  calls: [
    { tool: 'sequentialthinking', args: thought },
    { tool: 'sequentialthinking', args: { ...thought, thoughtNumber: 2, nextThoughtNeeded: false } },
    { tool: 'sequentialthinking', args: { thought: 1 } },
  ],
}

const servers = [everything, filesystem, memory, thinking]

/** They speak the older revisions only, and ask their client back: for roots, words and answers. */
describe(
  'the reference servers of the project answer through the gate as they answer themselves',
  { timeout: 120_000 },
  () => {
    let bench: Bench
    beforeAll(async () => {
      bench = await openBench(servers)
    })
    afterAll(() => bench[Symbol.asyncDispose]())

    for (const server of servers) {
      test.each(['legacy', 'modern'] as const)(`${server.id}, to a %s client`, async (era) => {
        const { own, through } = await bench.ask(server, era)
        expect(through).toEqual(own)
        expect(forgotten(server, own.lists)).toEqual([])
      })
    }

    test('all of them in one', async () => {
      const { own, through } = await bench.askMerged()
      expect(through).toEqual(own)
    })
  },
)
