import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Call } from './callers.ts'
import { forgotten, openBench, type Bench, type ThirdParty } from './compare.ts'
import { INSTALL_MS, installed, programOf } from './installed.ts'
import { smallPdf } from './pdf.ts'
import { GIT_ENVIRONMENT, makeRepository } from './repository.ts'

const areThere = await installed()
const program = (name: string) => (areThere ? programOf(name) : '')

const path = '%/work'
const git = (tool: string, args: object = {}): Call => ({ tool: `git_${tool}`, args: { path, ...args } })

/** A large catalogue, with answers that are checked against schemas. */
const repository: ThirdParty = {
  id: 'git',
  args: [program('@cyanheads/git-mcp-server')],
  env: { ...GIT_ENVIRONMENT, HOME: '%', LOGS_DIR: '%/logs', MCP_LOG_LEVEL: 'error', GIT_SIGN_COMMITS: 'false' },
  prepare: makeRepository,
  calls: [
    { tool: 'git_set_working_dir', args: { path } },
    { resource: 'git://working-directory' },
    git('status'),
    git('branch', { mode: 'create', branchName: 'third' }),
    git('checkout', { target: 'third' }),
    git('show', { object: 'HEAD' }),
    git('blame', { filePath: 'a.txt' }),
    git('log', { maxCount: 5 }),
    git('reflog', { maxCount: 1 }),
    git('diff', { source: 'main', target: 'side' }),
    git('cherry_pick', { commits: ['side'] }),
    git('merge', { branch: 'main' }),
    git('rebase', { upstream: 'main' }),
    git('stash', { mode: 'list' }),
    git('add', { all: true }),
    git('commit', { message: 'empty', allowEmpty: true }),
    git('tag', { mode: 'create', tagName: 'v2' }),
    git('push', { remote: 'origin', branch: 'third' }),
    git('fetch', { remote: 'origin' }),
    git('pull', { remote: 'origin', branch: 'main' }),
    git('remote'),
    git('reset', { mode: 'mixed' }),
    git('clean', { dryRun: true, force: true }),
    git('worktree'),
    git('init', { path: '%/fresh' }),
    git('clone', { url: '%/remote.git', path: '%/cloned' }),
    git('changelog_analyze', { reviewTypes: ['gaps'] }),
    { tool: 'git_wrapup_instructions', args: { acknowledgement: 'yes' } },
    { tool: 'git_clear_working_dir', args: { confirm: 'yes' } },
    { prompt: 'git_wrapup', args: { createTag: 'false' } },
  ],
}

/** Made with the SDK of 2026-07-28, as MCP Apps: each has a page to be shown, and names it with its tools. */
const apps: readonly ThirdParty[] = [
  {
    id: 'clock',
    args: [program('@modelcontextprotocol/server-basic-vanillajs'), '--stdio'],
    calls: [{ tool: 'get-time' }, { resource: 'ui://get-time/mcp-app.html' }],
  },
  {
    id: 'budget',
    args: [program('@modelcontextprotocol/server-budget-allocator'), '--stdio'],
    calls: [{ tool: 'get-budget-data', vague: true }, { resource: 'ui://budget-allocator/mcp-app.html' }],
  },
  {
    id: 'monitor',
    args: [program('@modelcontextprotocol/server-system-monitor'), '--stdio'],
    calls: [
      { tool: 'get-system-info', vague: true },
      { tool: 'poll-system-stats', vague: true },
      { resource: 'ui://system-monitor/mcp-app.html' },
    ],
  },
  {
    id: 'pdf',
    args: [program('@modelcontextprotocol/server-pdf'), '--stdio', '%/shelf/a.pdf'],
    rootless: true,
    prepare(folder) {
      mkdirSync(join(folder, 'shelf'))
      writeFileSync(join(folder, 'shelf/a.pdf'), smallPdf())
    },
    calls: [
      { tool: 'list_pdfs' },
      { tool: 'read_pdf_bytes', args: { url: 'file://%/shelf/a.pdf', byteCount: 64 } },
      { tool: 'read_pdf_bytes', args: { url: 'file:///etc/passwd' } },
      { tool: 'display_pdf', args: { url: 'file://%/shelf/a.pdf' } },
      { tool: 'save_pdf', args: { url: 'file://%/shelf/a.pdf', data: '' } },
      { tool: 'submit_page_data', args: { requestId: 'none', pages: [] } },
      { tool: 'submit_save_data', args: { requestId: 'none' } },
      { tool: 'submit_viewer_state', args: { requestId: 'none' } },
      { resource: 'ui://pdf-viewer/mcp-app.html' },
    ],
    uncalled: ['interact', 'poll_pdf_commands'],
  },
]

/** It writes a line that is no JSON before it says anything else. */
const time: ThirdParty = {
  id: 'time',
  args: [program('time-mcp')],
  calls: [
    { tool: 'current_time', args: { format: 'YYYY-MM', timezone: 'Asia/Tokyo' } },
    { tool: 'relative_time', args: { time: '2020-01-01 00:00:00' } },
    { tool: 'days_in_month', args: { date: '2024-02-01' } },
    { tool: 'get_timestamp', args: { time: '2024-02-01 00:00:00' } },
    {
      tool: 'convert_time',
      args: { sourceTimezone: 'UTC', targetTimezone: 'Asia/Tokyo', time: '2024-02-01 00:00:00' },
    },
    { tool: 'get_week_year', args: { date: '2024-02-01' } },
  ],
}

/** They speak 2024-11-05 only. */
const oldest: readonly ThirdParty[] = [
  {
    id: 'shell',
    args: [program('mcp-server-commands')],
    calls: [
      { tool: 'run_command', args: { command: 'echo "a  b"; exit 3', workdir: '%' } },
      { tool: 'run_command', args: { command: 'cat', stdin: 'zwölf' } },
      { prompt: 'run_command', args: { command: 'echo prompted' } },
    ],
  },
  {
    id: 'github',
    args: [program('@modelcontextprotocol/server-github')],
    env: { GITHUB_PERSONAL_ACCESS_TOKEN: 'none' },
    calls: [{ tool: 'create_issue', args: { owner: 'nobody' } }],
    uncalled: 'others',
  },
]

const servers = [repository, ...apps, time, ...oldest]

describe.skipIf(!areThere)(
  'servers of other people answer through the gate as they answer themselves',
  { timeout: 120_000 },
  () => {
    let bench: Bench
    beforeAll(async () => {
      bench = await openBench(servers)
    }, INSTALL_MS)
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
