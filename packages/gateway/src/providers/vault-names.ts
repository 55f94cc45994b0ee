/** What the vault keeps of connections stands apart from tokens that were pasted: names of servers have no colon. */
const PREFIX = 'oauth:'

/** The name under which the vault keeps the connection with a provider. */
export function vaultNameOf(provider: string): string {
  return `${PREFIX}${provider}`
}

/** Whether it is such a name. */
export function isOfConnection(name: string): boolean {
  return name.startsWith(PREFIX)
}
