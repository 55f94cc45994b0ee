import { Invitation, User, UserList } from '../answers.ts'
import { createClient, gateOptions, type Client } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showTime } from '../print.ts'

const ROLES = ['owner', 'admin', 'member'] as const
const WHO = { name: 'user', says: 'Their name, or id.' } as const

const list = command({
  name: 'user list',
  does: 'Lists the users.',
  arguments: [],
  options: gateOptions,
  examples: { 'user list': 'who may call through this gate' },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const { users } = await client.ask({ method: 'GET', path: ['users'] }, UserList)
    const print = createPrinter(world)
    if (options.json) return print.json(users)
    const rows = users.map(({ name, role, createdAt, id }) => [name, role, showTime(createdAt), id])
    print.table(['NAME', 'ROLE', 'ADDED (UTC)', 'ID'], rows, 'There are no users.')
  },
})

const add = command({
  name: 'user add',
  does: 'Adds a user, who then needs a key: see `key add`.',
  arguments: [{ name: 'name', says: 'Letters, digits, spaces and . _ @ -' }],
  options: { role: { value: 'role', choices: ROLES, says: 'What they may do. Default: member.' }, ...gateOptions },
  examples: { 'user add robot': 'a user without a password, who comes with keys' },
  async run({ arguments: { name }, options }, world) {
    const client = await createClient(options, world)
    const user = await client.ask({ method: 'POST', path: ['users'], body: { name, role: options.role } }, User)
    const print = createPrinter(world)
    if (options.json) return print.json(user)
    print.line(`${user.name} is added as ${user.role}. Make a key for them with: sekisho key add ${quote(user.name)}`)
  },
})

const invite = command({
  name: 'user invite',
  does: 'Makes a link that lets a user in, to set a password or link an account, adding them where they are missing.',
  arguments: [{ name: 'name', says: 'Their name. An id will do for a user there is.' }],
  options: {
    role: { value: 'role', choices: ROLES, says: 'What they may do, where they are added. Default: member.' },
    ...gateOptions,
  },
  examples: {
    'user invite ada': 'let ada in, or help her who forgot her password',
    'user invite grace --role admin': 'somebody who may invite others',
  },
  async run({ arguments: { name }, options }, world) {
    const client = await createClient(options, world)
    const user = (await findUser(client, name)) ?? (await addUser(client, name, options.role))
    const invitation = await client.ask({ method: 'POST', path: ['users', user.id, 'invitation'] }, Invitation)
    const print = createPrinter(world)
    if (options.json) return print.json({ user, ...invitation })
    print.line(invitation.url)
    print.note(
      `This link is shown this once. It lets ${user.name} (${user.role}) in, is good for once and until ` +
        `${showTime(invitation.expiresAt)} UTC, and replaces the one before.`,
    )
  },
})

const reset = command({
  name: 'user reset',
  does: 'Makes a link by which a user sets a new password.',
  arguments: [WHO],
  options: gateOptions,
  examples: { 'user reset ada': 'help ada, who forgot her password' },
  async run({ arguments: { user }, options }, world) {
    const client = await createClient(options, world)
    const link = await client.ask({ method: 'POST', path: ['users', user, 'password-reset'] }, Invitation)
    const print = createPrinter(world)
    if (options.json) return print.json(link)
    print.line(link.url)
    print.note(
      `This link is shown this once. It lets ${user} set a new password, which signs their browsers out, is good for ` +
        `once and until ${showTime(link.expiresAt)} UTC, and replaces the one before. A second factor is still asked for.`,
    )
  },
})

const resetFactors = command({
  name: 'user reset-factors',
  does: 'Takes the passkeys, authenticator app and recovery codes of a user away, and signs their browsers out.',
  arguments: [WHO],
  options: gateOptions,
  examples: { 'user reset-factors ada': 'help ada, who lost her phone and her recovery codes' },
  async run({ arguments: { user }, options }, world) {
    const client = await createClient(options, world)
    await client.read({ method: 'DELETE', path: ['users', user, 'factors'] })
    const print = createPrinter(world)
    if (options.json) return print.json({ reset: user })
    print.line(`${user} has no second factor any more, and is signed out everywhere.`)
  },
})

const role = command({
  name: 'user role',
  does: 'Changes the role of a user.',
  arguments: [WHO, { name: 'role', choices: ROLES, says: 'The new one.' }],
  options: gateOptions,
  examples: { 'user role ada admin': 'let ada add others' },
  async run({ arguments: { user: who, role: wanted }, options }, world) {
    const client = await createClient(options, world)
    const user = await client.ask({ method: 'PATCH', path: ['users', who], body: { role: wanted } }, User)
    const print = createPrinter(world)
    if (options.json) return print.json(user)
    print.line(`${user.name} is ${user.role} now.`)
  },
})

const remove = command({
  name: 'user remove',
  does: 'Removes a user with their keys and tokens, at once and for good.',
  arguments: [WHO],
  options: gateOptions,
  examples: { 'user remove ada': 'their clients are refused from now on' },
  async run({ arguments: { user }, options }, world) {
    const client = await createClient(options, world)
    await client.read({ method: 'DELETE', path: ['users', user] })
    const print = createPrinter(world)
    if (options.json) return print.json({ removed: user })
    print.line(`${user} is removed, with their keys and tokens.`)
  },
})

export const userCommands = [list, add, invite, reset, resetFactors, role, remove]

async function findUser(client: Client, who: string): Promise<User | undefined> {
  const { users } = await client.ask({ method: 'GET', path: ['users'] }, UserList)
  return users.find(({ id, name }) => id === who || name === who.normalize('NFC'))
}

function addUser(client: Client, name: string, role: string | undefined): Promise<User> {
  return client.ask({ method: 'POST', path: ['users'], body: { name, role } }, User)
}

function quote(text: string): string {
  return /^[\w@.-]+$/.test(text) ? text : `'${text}'`
}
