import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every commit is made at the same moment by the same person, so that it has the same name wherever it is made. */
export const GIT_ENVIRONMENT = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
}

/** Makes a repository with two commits on two branches, and a bare one that is its remote. */
export function makeRepository(folder: string): void {
  const work = join(folder, 'work')
  mkdirSync(work)
  const git = (...words: string[]) =>
    execFileSync('git', words, { cwd: work, env: { PATH: process.env['PATH'], ...GIT_ENVIRONMENT }, stdio: 'pipe' })
  git('init', '--quiet', '--initial-branch=main')
  git('init', '--quiet', '--bare', '--initial-branch=main', '../remote.git')
  writeFileSync(join(work, 'a.txt'), 'one\ntwo\n')
  git('add', '.')
  git('commit', '--quiet', '-m', 'feat: begin')
  git('tag', 'v1')
  git('switch', '--quiet', '-c', 'side')
  writeFileSync(join(work, 'b.txt'), 'side\n')
  git('add', '.')
  git('commit', '--quiet', '-m', 'fix: go aside')
  git('switch', '--quiet', 'main')
  git('remote', 'add', 'origin', '../remote.git')
  git('push', '--quiet', 'origin', 'main')
}
