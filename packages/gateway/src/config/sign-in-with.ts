import type { ClientConfig, IdentityProviderConfig } from './config.ts'
import type { ConfigFile } from './schema.ts'
import { isPublicIssuer, signInDefinitionOf, type SignInDefinition } from './sign-in-definitions.ts'
import { SIGN_IN_PROVIDER_ID } from './sign-in-with-schema.ts'
import { readClient, type TemplateNeeds } from './templates.ts'
import { isFields, type Fields } from './values.ts'

/**
 * Checks what the schema cannot say about `signIn.with`, on whatever parts have the right shape.
 *
 * @returns what each identity provider calls this gate
 */
export function checkSignInWith(file: unknown, needs: TemplateNeeds): ReadonlyMap<string, ClientConfig> {
  const found = new Map<string, ClientConfig>()
  const labels = new Set<unknown>()
  for (const [id, entry] of Object.entries(entriesIn(file))) {
    const path = ['signIn', 'with', id]
    if (!SIGN_IN_PROVIDER_ID.test(id)) needs.report.problem(path, NO_ID, 'key')
    if (!isFields(entry)) continue
    checkIssuer(id, entry, needs)
    const label = entry['label'] ?? signInDefinitionOf(id, entry['like']).label
    if (labels.has(label)) needs.report.problem(path, SAME_LABEL, 'key')
    labels.add(label)
    for (const key of ['clientId', 'clientSecret'])
      if (entry[key] === undefined)
        needs.report.problem(path, missing(key, signInDefinitionOf(id, entry['like'])), 'key')
    found.set(id, readClient(entry, path, needs))
    if (entry['createUsers'] === true && isOpenToAnybody(id, entry))
      needs.report.warning([...path, 'createUsers'], OPEN)
  }
  return found
}

function entriesIn(file: unknown): Fields {
  const signIn = isFields(file) ? file['signIn'] : undefined
  return isFields(signIn) && isFields(signIn['with']) ? signIn['with'] : {}
}

const NO_ID = { reason: 'is no id of an identity provider', fix: 'Write lower case letters, digits and -, at most 32' }

/** Which button somebody presses is who they come in as. */
const SAME_LABEL = {
  reason: 'has a button that reads like another one',
  fix: 'Give each a label of its own',
}

function checkIssuer(id: string, entry: Fields, { report }: TemplateNeeds): void {
  const { issuer, issuerFormat } = signInDefinitionOf(id, entry['like'])
  const path = ['signIn', 'with', id]
  const like = issuerFormat?.like ?? 'https://sso.example.com'
  if (entry['issuer'] === undefined) {
    if (issuer === undefined)
      report.problem(path, { reason: 'has no issuer', fix: `Write its issuer, like ${like}` }, 'key')
  } else if (typeof entry['issuer'] === 'string' && issuerFormat?.matches.test(entry['issuer']) === false) {
    report.problem([...path, 'issuer'], { reason: 'is no issuer of this provider', fix: `Write it like ${like}` })
  }
}

function missing(key: string, { help }: SignInDefinition) {
  return { reason: `has no ${key}`, fix: `${help} Then write its ${key} here` }
}

/** Where accounts are everybody's, an account of the gate would be, too. */
function isOpenToAnybody(id: string, entry: Fields): boolean {
  const issuer = entry['issuer'] ?? signInDefinitionOf(id, entry['like']).issuer
  const isPublic = typeof issuer === 'string' && isPublicIssuer(issuer)
  return isPublic && entry['emailDomains'] === undefined && entry['groups'] === undefined
}

const OPEN = {
  reason: 'gives an account of this gate to everybody who has one there',
  fix: 'Write emailDomains or groups beside it',
}

/** Puts together what was found right. */
export function buildIdentityProviders(
  { signIn }: Pick<ConfigFile, 'signIn'>,
  clients: ReadonlyMap<string, ClientConfig>,
): readonly IdentityProviderConfig[] {
  return Object.entries(signIn.with).flatMap(([id, entry]) => {
    const definition = signInDefinitionOf(id, entry.like)
    const { issuer = definition.issuer } = entry
    const { clientId, clientSecret } = clients.get(id) ?? {}
    if (issuer === undefined || clientId === undefined || clientSecret === undefined) return []
    const speaksOfGroups = entry.groups !== undefined || entry.roles !== undefined
    const groupScopes = speaksOfGroups ? definition.groupScopes : []
    const provider: IdentityProviderConfig = {
      id,
      label: entry.label ?? definition.label,
      tenant: entry.tenant,
      protocol: definition.protocol,
      issuer,
      clientId,
      clientSecret,
      scopes: entry.scopes ?? [...definition.scopes, ...groupScopes],
      groupsClaim: entry.groupsClaim ?? definition.groupsClaim,
      emailVerifiedClaim: definition.emailVerifiedClaim,
      anew: definition.anew,
      rules: {
        emailDomains: entry.emailDomains,
        groups: entry.groups,
        createUsers: entry.createUsers,
        role: entry.role,
        roles: entry.roles,
      },
    }
    return [provider]
  })
}
