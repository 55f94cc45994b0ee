import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const directory = join(import.meta.dirname, '../../../../.github/workflows')
const workflows = readdirSync(directory).map(
  (name) => [name, parse(readFileSync(join(directory, name), 'utf8'))] as const,
)

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}

const stepsOf = (workflow: { jobs: Record<string, { steps: readonly Step[] }> }): readonly Step[] =>
  Object.values(workflow.jobs).flatMap(({ steps }) => steps)

test('there is one for tests and one for what could be unsafe', () => {
  expect(workflows.map(([name]) => name).sort()).toEqual(['ci.yml', 'security.yml'])
})

describe.each(workflows)('%s', (_, workflow) => {
  test('may read the code and change nothing, but where a job says more', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
  })

  test('names the version of every action it uses, and leaves no credentials behind', () => {
    const actions = stepsOf(workflow).filter(({ uses }) => uses !== undefined)
    for (const { uses } of actions) expect(uses).toMatch(/^[\w-]+\/[\w./-]+@(?:v\d+|\d+\.\d+\.\d+)$/)
    for (const { with: given } of actions.filter(({ uses }) => uses?.startsWith('actions/checkout@')))
      expect(given).toMatchObject({ 'persist-credentials': false })
  })

  test('puts no text of a stranger into a shell', () => {
    for (const { run } of stepsOf(workflow)) expect(run ?? '').not.toMatch(/\$\{\{\s*github\.(?:event|head_ref)/)
  })
})

test('code, dependencies and the image are looked at, reports are kept, and a critical finding fails', () => {
  const [, security] = workflows.find(([name]) => name === 'security.yml') ?? []
  const steps = stepsOf(security)
  const words = steps.map(({ uses, run }) => uses ?? run ?? '').join('\n')
  for (const tool of ['codeql-action/analyze', 'npm audit', 'npm run supply', 'osv-scanner', 'trivy-action'])
    expect(words).toContain(tool)
  const kept = steps.filter(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
  expect(kept.map((step) => step.with?.['name'])).toEqual(['codeql', 'dependencies', 'trivy'])
  expect(steps.find(({ uses }) => uses?.startsWith('aquasecurity/'))?.with).toMatchObject({
    'exit-code': '1',
    severity: 'CRITICAL',
  })
  expect(words.match(/jq --exit-status/g)).toHaveLength(3)
})
