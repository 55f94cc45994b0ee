import type { Adapter, AdapterPayload } from 'oidc-provider'

/** What the provider keeps, in memory, so that it can be asked who is signed in. */
export function createMemory() {
  const models = new Map<string, Map<string, AdapterPayload>>()
  const kept = (model: string) => models.get(model) ?? models.set(model, new Map()).get(model) ?? new Map()
  const find = (model: string, is: (payload: AdapterPayload) => boolean) =>
    Promise.resolve([...kept(model).values()].find(is))

  return {
    /** Everything of one kind. */
    all: (model: string): readonly AdapterPayload[] => [...kept(model).values()],

    adapterFor(model: string): Adapter {
      const rows = kept(model)
      return {
        upsert: async (id, payload) => void rows.set(id, payload),
        find: (id) => Promise.resolve(rows.get(id)),
        findByUid: (uid) => find(model, (payload) => payload.uid === uid),
        findByUserCode: (code) => find(model, (payload) => payload.userCode === code),
        consume: async (id) => void Object.assign(rows.get(id) ?? {}, { consumed: Math.floor(Date.now() / 1000) }),
        destroy: async (id) => void rows.delete(id),
        async revokeByGrantId(grantId) {
          for (const [id, payload] of rows) if (payload.grantId === grantId) rows.delete(id)
        },
      }
    },
  }
}
export type Memory = ReturnType<typeof createMemory>
