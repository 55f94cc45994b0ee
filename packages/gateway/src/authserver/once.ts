import { errors, type Adapter } from 'oidc-provider'
import { userCodeId, type Records } from './records.ts'

interface OnceNeeds {
  readonly records: Records
}

/** A code that two present at once is good for one of them. @see RFC 6749 §4.1.2 */
export function useOnce(model: string, base: Adapter, { records }: OnceNeeds): Adapter {
  return {
    ...base,
    async consume(id) {
      const outcome = await records.consume(model, id)
      if (outcome !== 'first') throw new errors.InvalidGrant('the code was used before')
    },
  }
}

/** What the user enters is found by its hash and is not kept; what the terminal holds is good for once. */
export function keepDeviceCodes(base: Adapter, { records }: OnceNeeds): Adapter {
  return {
    ...useOnce('DeviceCode', base, { records }),
    upsert: (id, { userCode = '', ...payload }) =>
      records.put('DeviceCode', id, { payload, uid: userCodeId(userCode) }),
  }
}

/** Of two that present one assertion at once, one is believed. @see RFC 7523 §3, item 7 */
export function claimOnce(base: Adapter, { records }: OnceNeeds): Adapter {
  return {
    ...base,
    async upsert(id, payload) {
      if (!(await records.claim('ReplayDetection', id, { payload })))
        throw new errors.InvalidClient('the assertion has been used before')
    },
  }
}
