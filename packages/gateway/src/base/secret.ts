/** The one type of what must not be seen, the same here and in the connectors that a credential is handed to. */
export { secret, type Secret } from '#kit/secret'
