import { spawnSync } from 'node:child_process'
import { OLDEST_NODE } from '../../packages/gateway/src/base/program.ts'

export { OLDEST_NODE }

/** Finds where that Node is, fetched with npx; nothing where there is none for this system or no network. */
export function findOldestNode(): string | undefined {
  const from = `node-${process.platform}-${process.arch}@${OLDEST_NODE}`
  const args = ['--yes', '--prefer-offline', `--package=${from}`, '--', 'node', '-p', 'process.execPath']
  const { status, stdout } = spawnSync('npx', args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
