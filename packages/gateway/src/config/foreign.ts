import { isFields, type Fields } from './values.ts'
import type { Path, Report, Trouble } from './report.ts'

/**
 * What other clients' files carry. Their keys that change nothing about how a server is reached are set
 * aside with a warning, so that a file can be taken over as it is.
 */
const FOREIGN: Readonly<Record<string, string>> = {
  alwaysAllow: 'Remove it; whoever calls decides what to ask',
  autoApprove: 'Remove it; whoever calls decides what to ask',
  disabledTools: 'Remove it; all tools of the server are listed here',
  enabledTools: 'Remove it; all tools of the server are listed here',
  excludeTools: 'Remove it; all tools of the server are listed here',
  includeTools: 'Remove it; all tools of the server are listed here',
  trust: 'Remove it; whoever calls decides what to ask',
  timeout: 'Write timeoutMs, in milliseconds',
  transport: 'Remove it; command or url tell',
  transportType: 'Remove it; command or url tell',
  note: 'Write a comment with // instead',
  comment: 'Write a comment with // instead',
  _comment: 'Write a comment with // instead',
  icon: 'Remove it',
  iconUrl: 'Remove it',
  gallery: 'Remove it',
  version: 'Remove it',
  tags: 'Remove it',
  dev: 'Remove it',
}

/** Words of other clients' files, and what they are called or done with here. */
const OTHER_WORDS: Readonly<Record<string, string | Trouble>> = {
  streamableHttp: 'streamable-http',
  servers: 'mcpServers',
  mcp: 'mcpServers',
  context_servers: 'mcpServers',
  inputs: {
    reason: 'inputs are not asked for here',
    fix: 'Use {"$env": "NAME"}, or {"$userToken": "{{token}}"} for each user’s own',
  },
  serverUrl: 'url',
  httpUrl: 'url',
  endpoint: 'url',
  environment: 'env',
  workingDirectory: 'cwd',
  arguments: 'args',
  enabled: { reason: 'is no known key', fix: 'Write "disabled": true to leave a server out' },
  envFile: {
    reason: 'files of variables are not read',
    fix: 'Start the gate with the variables, and name each with {"$env": "NAME"}',
  },
}

/** Answers what another client's word is called here, or what to do in its place. */
export function insteadOf(word: string): string | Trouble | undefined {
  return Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined
}

/** Copies the file without the keys of other clients, and says which they were. */
export function setAsideForeign(file: unknown, report: Report): unknown {
  if (!isFields(file) || !isFields(file['mcpServers'])) return file
  const servers: Record<string, unknown> = Object.create(null)
  for (const [name, server] of Object.entries(file['mcpServers'])) {
    servers[name] = isFields(server) ? withoutForeign(server, ['mcpServers', name], report) : server
  }
  return { ...file, mcpServers: servers }
}

/** The one word for a transport that neither `command` nor `url` tells. */
const CALLED_TYPE: Trouble = { reason: 'is called type here', fix: 'Write "type": "sse"' }

function withoutForeign(server: Fields, path: Path, report: Report): Fields {
  const kept: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(server)) {
    const advice = Object.hasOwn(FOREIGN, key) ? FOREIGN[key] : undefined
    if (advice === undefined) kept[key] = value
    else if (key.startsWith('transport') && value === 'sse') {
      kept['type'] ??= value
      report.warning([...path, key], CALLED_TYPE, 'key')
    } else report.warning([...path, key], { reason: 'is not used here', fix: advice }, 'key')
  }
  return kept
}
