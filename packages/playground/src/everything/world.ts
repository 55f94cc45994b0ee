import { randomBytes } from 'node:crypto'
import { createRequestStateCodec, InMemoryServerEventBus, type RequestStateCodec } from '@modelcontextprotocol/server'
import { createTaskStore, type TaskStore } from './task-store.ts'

/**
 * What every request and every session of one everything server shares. Server objects live for one request
 * (2026-07-28) or one session (older revisions), so anything that must be remembered in between lives here.
 */
export interface World {
  readonly bus: InMemoryServerEventBus
  readonly states: RequestStateCodec<RoundState>
  readonly tasks: TaskStore
  /** Whether the tool and the prompt that come and go are there now. */
  readonly shown: { tool: boolean; prompt: boolean }
  /** How often each watched resource was touched. */
  readonly touches: Map<string, number>
  /** The latest calls of `slow`, so that a test can see whether a cancellation arrived. */
  readonly slowCalls: SlowCall[]
}

/** What a tool needs to remember between two rounds of one call; the client carries it, signed. */
export type RoundState = { step: 'confirm' } | { step: 'several' } | { step: 'name' } | { step: 'colour'; name: string }

export interface SlowCall {
  label: string
  outcome: 'running' | 'finished' | 'stopped'
}

export function createWorld(): World {
  return {
    bus: new InMemoryServerEventBus(),
    states: createRequestStateCodec<RoundState>({
      key: randomBytes(32),
      // A state that leaks is of no use in another method or to another client.
      bind: (ctx) => `${ctx.mcpReq.method}\n${ctx.http?.authInfo?.clientId ?? ''}`,
    }),
    tasks: createTaskStore(),
    shown: { tool: false, prompt: false },
    touches: new Map(),
    slowCalls: [],
  }
}
