import { statSync } from 'node:fs'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'
import { keptWorker } from './scripts/lib/kept-worker.ts'
import base from './vitest.config.ts'

/** The tests of one room, which `npm run mutation` names. */
const room = process.env['SEKISHO_MUTATION_ROOM'] ?? '*'

/** The first test that fails ends a run: short files come first. */
class ShortFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => statSync(one.moduleId).size - statSync(other.moduleId).size)
  }
}

export default defineConfig({
  plugins: [
    {
      name: 'kept-worker',
      // Whoever starts vitest chooses among its own pools, and knows of no other.
      configureVitest: ({ project }) =>
        void Object.assign(project.config, { pool: keptWorker.name, poolRunner: keptWorker }),
    },
  ],
  test: {
    ...base.test,
    include: [`packages/gateway/test/${room}/**/*.test.ts`],
    // They wait for deadlines of the product, 10 s each, or start dozens of processes, for every change they could notice.
    exclude: ['**/deadline.test.ts', '**/key-moves-killed.test.ts'],
    isolate: false,
    sequence: { sequencer: ShortFirst },
    // A change that makes a test wait for ever is noticed, and need not be waited for longer than this.
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
