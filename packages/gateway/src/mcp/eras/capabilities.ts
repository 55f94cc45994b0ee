import { isRecord } from '../../base/json-rpc.ts'
import type { Handshake } from '../../upstreams/era.ts'
import type { Interests, ListName } from '../../upstreams/transport.ts'

type Capabilities = Readonly<Record<string, unknown>>

/** All that the merged endpoint can carry, whatever its servers have: which they are may change at any time. */
export const MERGED: Capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
}

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

/** What a server of the other era promises that a client of this one can use: tasks are spoken differently in each. */
export function withoutTasks({ tasks: _tasks, ...capabilities }: Capabilities): Capabilities {
  const { extensions } = capabilities
  if (!isRecord(extensions)) return capabilities
  const { [TASKS_EXTENSION]: _task, ...others } = extensions
  return { ...capabilities, extensions: others }
}

/** What of it a server with such capabilities can tell, by names that both eras have. */
export function honoured({ lists, uris }: Interests, { capabilities }: Handshake): Interests {
  const can = (list: ListName) => {
    const capability = capabilities[list]
    return isRecord(capability) && capability['listChanged'] === true
  }
  const { resources } = capabilities
  const subscribes = isRecord(resources) && resources['subscribe'] === true
  return { lists: new Set([...lists].filter(can)), uris: subscribes ? uris : new Set() }
}
