import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MAL_SECRET, type Playground } from './playground.ts'

/**
 * What the gate runs with where there is no configuration file: real servers from npm and two of our own,
 * with no account anywhere. Each shows one thing: `myanimelist` an account that is connected by OAuth, `reference` a
 * token of the user's own, `memory` a file of the user's own, `filesystem` a shared directory. Those from npm are
 * left out where their packages are not installed.
 */
export function firstRunConfig(dataDirectory: string, { mal }: Pick<Playground, 'mal'>): string {
  const files = join(dataDirectory, 'playground', 'files')
  const memories = join(dataDirectory, 'playground', 'memory')
  for (const directory of [files, memories]) mkdirSync(directory, { recursive: true, mode: 0o700 })
  return JSON.stringify({
    providers: {
      myanimelist: {
        clientId: mal.clientId,
        clientSecret: { $env: MAL_SECRET },
        authorizationUrl: `${mal.url}/v1/oauth2/authorize`,
        tokenUrl: `${mal.url}/v1/oauth2/token`,
        apiBaseUrl: `${mal.url}/v2`,
        account: { url: `${mal.url}/v2/users/@me`, name: 'name' },
      },
    },
    mcpServers: {
      myanimelist: {
        builtin: 'mal',
        toolsets: ['all'],
        description: 'Your anime list, from an emulation of MyAnimeList on this machine.',
      },
      everything: {
        builtin: 'everything',
        description: 'A server of our own with a tool for every feature of MCP, to try clients with.',
      },
      ...serversFromNpm({ files, memories }),
    },
  })
}

function serversFromNpm({ files, memories }: { readonly files: string; readonly memories: string }) {
  const rows = {
    reference: {
      script: '@modelcontextprotocol/server-everything/dist/index.js',
      env: { SERVICE_TOKEN: { $userToken: '{{token}}' } },
      description: 'The reference server; its get-env shows the environment it was given, your token included.',
      tokenSetup: {
        name: 'Demo service',
        instructions: 'Any text of 8 to 200 letters, digits, - and _ will do: this service is a demonstration.',
        format: '^[A-Za-z0-9_-]{8,200}$',
      },
    },
    filesystem: {
      script: '@modelcontextprotocol/server-filesystem/dist/index.js',
      args: [files],
      description: `Reads and writes files in ${files}.`,
    },
    memory: {
      script: '@modelcontextprotocol/server-memory/dist/index.js',
      env: { MEMORY_FILE_PATH: { $user: join(memories, '{{id}}.jsonl') } },
      description: 'A knowledge graph of your own.',
    },
    'sequential-thinking': {
      script: '@modelcontextprotocol/server-sequential-thinking/dist/index.js',
      description: 'Thinks in steps.',
    },
  }
  return Object.fromEntries(Object.entries(rows).flatMap(([id, row]) => installed(id, row)))
}

/** A server of a package that is installed beside the gate, run with the Node that runs the gate. */
function installed(id: string, { script, args = [], ...row }: { readonly script: string; readonly args?: string[] }) {
  const found = find(script)
  return found === undefined ? [] : [[id, { command: process.execPath, args: [found, ...args], ...row }]]
}

function find(script: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(script)
  } catch {
    return undefined
  }
}
