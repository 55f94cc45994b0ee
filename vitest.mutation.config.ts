import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** The tests of one room, which `npm run mutation` names. */
const room = process.env['SEKISHO_MUTATION_ROOM'] ?? '*'

export default defineConfig({ test: { ...base.test, include: [`packages/gateway/test/${room}/**/*.test.ts`] } })
