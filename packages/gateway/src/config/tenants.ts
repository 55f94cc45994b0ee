import type { z } from 'zod'
import { DEFAULT_TENANT_NAME } from '../base/ids.ts'
import { mayHavePasskeys } from '../base/passkey-host.ts'
import type { Config, SignInConfig, TenantConfig } from './config.ts'
import { TENANT_NAME, type TenantEntry } from './people-schema.ts'
import type { Path, Report } from './report.ts'
import type { ConfigFile } from './schema.ts'
import { isFields, type Fields } from './values.ts'

/** Checks what the schema cannot say about the names of tenants, on whatever has the right shape. */
export function checkTenantNames(file: unknown, report: Report): void {
  const tenants = Object.keys(fieldsIn(file, 'tenants'))
  const isNone = (named: unknown) =>
    typeof named === 'string' && named !== DEFAULT_TENANT_NAME && !tenants.includes(named)
  for (const name of tenants) {
    if (!TENANT_NAME.test(name)) report.problem(['tenants', name], NO_NAME, 'key')
  }
  for (const [id, entry] of Object.entries(fieldsIn(fieldsIn(file, 'signIn'), 'with'))) {
    if (isFields(entry) && isNone(entry['tenant'])) report.problem(['signIn', 'with', id, 'tenant'], NO_TENANT)
  }
  for (const [index, issuer] of listIn(fieldsIn(file, 'oauth'), 'trustedIssuers').entries()) {
    for (const [subject, user] of Object.entries(fieldsIn(issuer, 'subjects'))) {
      const tenant = typeof user === 'string' ? /^(.*?)\//.exec(user)?.[1] : undefined
      if (isNone(tenant)) report.problem(['oauth', 'trustedIssuers', index, 'subjects', subject], NO_TENANT_IN_NAME)
    }
  }
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const inner = isFields(value) ? value[key] : undefined
  return Array.isArray(inner) ? inner : []
}

function fieldsIn(value: unknown, key: string): Fields {
  const inner = isFields(value) ? value[key] : undefined
  return isFields(inner) ? inner : {}
}

const NO_NAME = {
  reason: 'is no name of a tenant',
  fix: 'Write lower case letters, digits and - between them, at most 32',
}
const NO_TENANT_IN_NAME = {
  reason: 'names no tenant before its /',
  fix: 'Write one that stands in tenants, or the name alone for somebody of default',
}
const NO_TENANT = { reason: 'is none of the tenants', fix: 'Write one that stands in tenants, or name it there' }

/**
 * Somebody of every tenant has to be able to come in: with a password, with a passkey where there can be some, or from an
 * identity provider of theirs.
 */
export function checkMethods(file: ConfigFile, reportOn: (path: Path) => Report): void {
  const mayHaveSome = file.publicUrl === undefined || mayHavePasskeys(new URL(file.publicUrl))
  for (const { name, signIn } of buildTenants(file)) {
    const isVouchedFor = Object.values(file.signIn.with).some(({ tenant }) => tenant === name)
    if (signIn.methods.includes('password') || isVouchedFor) continue
    const path = saidWhere(file, name)
    if (signIn.methods.length === 0) reportOn(path).problem(path, noWayInto(name))
    else if (!mayHaveSome) reportOn(path).problem(path, NO_PASSKEYS)
  }
}

/** Where the file says with what a tenant’s people may begin, or could. */
function saidWhere({ tenants }: ConfigFile, name: string): Path {
  const isOfItsOwn = name !== DEFAULT_TENANT_NAME || tenants[name]?.signIn.methods !== undefined
  return [...(isOfItsOwn ? ['tenants', name] : []), 'signIn', 'methods']
}

function noWayInto(tenant: string) {
  return {
    reason: `nobody could sign in: no way is named here, and no identity provider lets people into the tenant ${tenant}`,
    fix: 'Write one that does into signIn.with, or add "password" or "passkey"',
  }
}
const NO_PASSKEYS = {
  reason: 'nobody could sign in: there are no passkeys at the address in publicUrl',
  fix: 'Give publicUrl a name, by https or as http://localhost, or add "password"',
}

/** The tenants of the gate, `default` first, each with how its people sign in, said in full. */
export function buildTenants({ tenants, signIn }: ConfigFile): Config['tenants'] {
  const tenantOf = (name: string): TenantConfig => ({ name, signIn: join(signIn, tenants[name]?.signIn ?? {}) })
  const others = Object.keys(tenants).filter((name) => name !== DEFAULT_TENANT_NAME)
  return [tenantOf(DEFAULT_TENANT_NAME), ...others.map(tenantOf)]
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
