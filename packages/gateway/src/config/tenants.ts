import type { z } from 'zod'
import { mayHavePasskeys } from '../base/passkey-host.ts'
import type { Config, SignInConfig, TenantConfig } from './config.ts'
import { TENANT_NAME, type TenantEntry } from './people-schema.ts'
import type { Path, Report } from './report.ts'
import type { ConfigFile } from './schema.ts'
import { isFields } from './values.ts'

/** The tenant there always is: the people of a gate that names no other. */
const DEFAULT_NAME = 'default'

/** Checks what the schema cannot say about the names of tenants, on whatever has the right shape. */
export function checkTenantNames(file: unknown, report: Report): void {
  const tenants = isFields(file) && isFields(file['tenants']) ? file['tenants'] : {}
  for (const name of Object.keys(tenants)) {
    if (!TENANT_NAME.test(name)) report.problem(['tenants', name], NO_NAME, 'key')
  }
}

const NO_NAME = {
  reason: 'is no name of a tenant',
  fix: 'Write lower case letters, digits and - between them, at most 32',
}

/**
 * Somebody of every tenant has to be able to come in: with a password, with a passkey where there can be some, or, into
 * the first, from elsewhere.
 */
export function checkMethods(file: ConfigFile, reportOn: (path: Path) => Report): void {
  const mayHaveSome = file.publicUrl === undefined || mayHavePasskeys(new URL(file.publicUrl))
  for (const { name, signIn } of buildTenants(file)) {
    const isDefault = name === DEFAULT_NAME
    if (signIn.methods.includes('password') || (isDefault && Object.keys(file.signIn.with).length > 0)) continue
    const path = saidWhere(file, name)
    if (signIn.methods.length === 0) reportOn(path).problem(path, isDefault ? NO_WAY : NO_WAY_OF_ITS_OWN)
    else if (!mayHaveSome) reportOn(path).problem(path, NO_PASSKEYS)
  }
}

/** Where the file says with what a tenant’s people may begin, or could. */
function saidWhere({ tenants }: ConfigFile, name: string): Path {
  const isOfItsOwn = name !== DEFAULT_NAME || tenants[name]?.signIn.methods !== undefined
  return [...(isOfItsOwn ? ['tenants', name] : []), 'signIn', 'methods']
}

const NO_WAY = {
  reason: 'nobody could sign in: no way is named here, and no identity provider in signIn.with',
  fix: 'Write an identity provider into signIn.with, or add "password" or "passkey"',
}
const NO_WAY_OF_ITS_OWN = {
  reason: 'nobody of this tenant could sign in: identity providers let people into the tenant default alone',
  fix: 'Add "password" or "passkey"',
}
const NO_PASSKEYS = {
  reason: 'nobody could sign in: there are no passkeys at the address in publicUrl',
  fix: 'Give publicUrl a name, by https or as http://localhost, or add "password"',
}

/** The tenants of the gate, `default` first, each with how its people sign in, said in full. */
export function buildTenants({ tenants, signIn }: ConfigFile): Config['tenants'] {
  const tenantOf = (name: string): TenantConfig => ({ name, signIn: join(signIn, tenants[name]?.signIn ?? {}) })
  const others = Object.keys(tenants).filter((name) => name !== DEFAULT_NAME)
  return [tenantOf(DEFAULT_NAME), ...others.map(tenantOf)]
}

type OwnSignIn = z.output<typeof TenantEntry>['signIn']

function join(shared: SignInConfig, own: OwnSignIn): SignInConfig {
  return {
    idleHours: own.idleHours ?? shared.idleHours,
    maxHours: own.maxHours ?? shared.maxHours,
    methods: own.methods ?? shared.methods,
    secondFactor: own.secondFactor ?? shared.secondFactor,
    stepUpMinutes: own.stepUpMinutes ?? shared.stepUpMinutes,
  }
}
