import type { Clock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/ids.ts'
import { createInvitations, type Invitations } from '../../src/login/invitations.ts'
import { createPasswords } from '../../src/login/passwords.ts'
import { createSessions } from '../../src/login/sessions.ts'
import type { Storage } from '../../src/storage/database.ts'
import { quiet } from '../stores/databases.ts'
import { SIGN_IN } from './factors.ts'

/** Invitations of a gate whose pages nobody opens. */
export function createTestInvitations(storage: Storage, clock: Clock): Invitations {
  const parts = { storage, clock, random: systemRandom, log: quiet }
  const passwords = createPasswords({ ...parts, settings: { passwordLength: 8 } })
  const sessions = createSessions({ ...parts, policyOf: () => SIGN_IN, secure: false })
  const settings = { publicUrl: 'http://localhost:7354', invitationHours: 72 }
  return createInvitations({ ...parts, passwords, sessions, settings })
}
