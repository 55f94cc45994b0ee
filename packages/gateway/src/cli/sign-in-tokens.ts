import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { Problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import { storeOf } from '../vault/key-places.ts'
import type { SystemKeyring } from '../vault/system-keyring.ts'

/** The tokens of a sign-in. */
export interface SignInTokens {
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
}

const Plain = z.object({ accessToken: z.string(), refreshToken: z.string().optional() })

/** How the file of sign-ins has them: the name of their entry in the keyring, or as they are. */
export const KeptTokens = z.union([z.object({ inKeyring: z.string() }), Plain])
export type KeptTokens = z.output<typeof KeptTokens>

export interface SignInTokensNeeds {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly keyring: SystemKeyring
}

/**
 * Keeps the tokens of sign-ins in the keyring of the system, where one answers and `SEKISHO_ROOT_KEY_STORE` does not
 * say `file`. Each pair has an entry of its own, under a name that is used once: the file that names it is written after
 * it and before the last one is forgotten, so that what it names is always there.
 */
export function createSignInTokens({ environment, keyring }: SignInTokensNeeds) {
  const opened = new Map<string, SignInTokens>()

  async function putIntoKeyring(plain: z.output<typeof Plain>): Promise<KeptTokens | undefined> {
    const store = storeOf({ environment })
    if (store === 'file') return undefined
    const inKeyring = `sign-in ${randomBytes(12).toString('base64url')}`
    try {
      await keyring.put(inKeyring, secret(JSON.stringify(plain)))
      return { inKeyring }
    } catch (error) {
      if (store === 'keyring' || !(error instanceof Problem)) throw error
      return undefined
    }
  }

  async function findInKeyring(entry: string): Promise<SignInTokens | undefined> {
    const known = opened.get(entry)
    if (known !== undefined) return known
    const text = await keyring.find(entry)
    const tokens = text && toTokens(Plain.parse(JSON.parse(text.reveal())))
    if (tokens !== undefined) opened.set(entry, tokens)
    return tokens
  }

  return {
    /** `undefined` where the keyring has them no more. @throws {Problem} `vault.keyring_refused` */
    open: async (kept: KeptTokens): Promise<SignInTokens | undefined> =>
      'inKeyring' in kept ? findInKeyring(kept.inKeyring) : toTokens(kept),

    /** @throws {Problem} `vault.keyring_refused` where it was to be the keyring */
    async keep({ accessToken, refreshToken }: SignInTokens): Promise<KeptTokens> {
      const plain = { accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal() }
      return (await putIntoKeyring(plain)) ?? plain
    },

    /** What nothing names any more. That it cannot be forgotten keeps nobody from what they do. */
    async forget(kept: KeptTokens | undefined): Promise<void> {
      if (kept === undefined || !('inKeyring' in kept)) return
      opened.delete(kept.inKeyring)
      await keyring.remove(kept.inKeyring).catch(() => undefined)
    },
  }
}

function toTokens({ accessToken, refreshToken }: z.output<typeof Plain>): SignInTokens {
  return {
    accessToken: secret(accessToken),
    refreshToken: refreshToken === undefined ? undefined : secret(refreshToken),
  }
}
