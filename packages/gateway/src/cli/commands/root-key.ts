import { resolve } from 'node:path'
import { command } from '../command.ts'
import { chooseSecret } from '../../base/terminal.ts'
import { createPrinter } from '../print.ts'
import type { World } from '../world.ts'

/** Loaded when it is needed: the other commands do without the database. */
const openRootKey = async () => (await import('../stopped-gate.ts')).withRootKey

const STOPPED =
  'The gate has to be stopped. With PostgreSQL that is for you to see to, on every machine of it: the command cannot tell.'

const show = command({
  name: 'root-key show',
  does: `Says where the root key of the vault is, and that it opens the database; never the key itself. ${STOPPED}`,
  arguments: [],
  options: { json: { says: 'Answer in JSON.' } },
  examples: { 'root-key show': 'in the environment, in a file, or in the keyring of the system' },
  async run({ options }, world) {
    const withRootKey = await openRootKey()
    const { kind, root, isProtected } = await withRootKey(world, (moves) => moves.show())
    const print = createPrinter(world)
    if (options.json) return print.json({ kind, place: root.place, id: root.id, protected: isProtected })
    print.table(['PLACE', 'PASSPHRASE', 'ID'], [[root.place, isProtected ? 'yes' : 'no', root.id]], '')
  },
})

const move = command({
  name: 'root-key move',
  does: `Moves the root key between its file and the keyring of the system: writes it there, proves that it opens the database, then removes it here. Other machines of the gate need their own. ${STOPPED}`,
  arguments: [],
  options: {
    to: { value: 'place', choices: ['keyring', 'file'], says: 'Where to. Default: keyring.' },
    keep: { says: 'Leave it where it is as well.' },
  },
  examples: {
    'root-key move --to keyring': 'no file of this machine opens the vault any more',
    'root-key move --to file': 'before the data directory goes to another machine',
  },
  async run({ options: { to, keep } }, world) {
    const withRootKey = await openRootKey()
    const moved = await withRootKey(world, (moves) => moves.move(to === 'file' ? 'file' : 'keyring', keep))
    const print = createPrinter(world)
    print.line(`The root key is in ${moved.to}, and opens the database.`)
    print.line(keep ? `It is in ${moved.from} as well.` : `It is gone from ${moved.from}.`)
    print.note(BACKUP)
  },
})

const copy = command({
  name: 'root-key copy',
  does: `Writes a copy of the root key to a file that is not there yet, in a directory that is, for a safe place away from this machine. ${STOPPED}`,
  arguments: [
    {
      name: 'file',
      says: 'Where to; it is protected by a passphrase where SEKISHO_ROOT_KEY_PASSPHRASE or SEKISHO_ROOT_KEY_PASSPHRASE_FILE gives one.',
    },
  ],
  options: {},
  examples: { 'root-key copy /media/stick/sekisho.key': 'without it, nobody opens a backup of the database' },
  async run({ arguments: { file } }, world) {
    const withRootKey = await openRootKey()
    const { to } = await withRootKey(world, (moves) => moves.copy(resolve(world.directory, file)))
    const print = createPrinter(world)
    print.line(`A copy of the root key is in ${to}, and opens the database.`)
    print.note('Take it away from this machine, and not to where the backups of the database are.')
  },
})

const protect = command({
  name: 'root-key protect',
  does: `Protects the key file with a passphrase, which every start then needs. It is typed twice unseen, piped in, or in SEKISHO_ROOT_KEY_PASSPHRASE or SEKISHO_ROOT_KEY_PASSPHRASE_FILE. ${STOPPED}`,
  arguments: [],
  options: {},
  examples: { 'root-key protect': 'asks for the passphrase' },
  async run(_call, world) {
    const withRootKey = await openRootKey()
    const { to } = await withRootKey(world, (moves) => moves.protect(() => choosePassphrase(world)))
    createPrinter(world).line(`A passphrase protects ${to} from now on, and opens it.`)
    createPrinter(world).note(`${BACKUP}\nA passphrase that is forgotten is a root key that is lost.`)
  },
})

const unprotect = command({
  name: 'root-key unprotect',
  does: `Writes the key file without a passphrase again. The passphrase is typed unseen, piped in, or in SEKISHO_ROOT_KEY_PASSPHRASE or SEKISHO_ROOT_KEY_PASSPHRASE_FILE. ${STOPPED}`,
  arguments: [],
  options: {},
  examples: { 'root-key unprotect': 'asks for the passphrase once more' },
  async run(_call, world) {
    const withRootKey = await openRootKey()
    const { to } = await withRootKey(world, (moves) => moves.unprotect(), { takesPiped: true })
    createPrinter(world).line(`${to} wants no passphrase any more: whoever can read it opens the vault.`)
  },
})

export const rootKeyCommands = [show, move, copy, protect, unprotect]

const BACKUP =
  'Keep a copy where the database is not: `sekisho root-key copy <file>`. Whoever loses the key loses every stored credential.'

async function choosePassphrase(world: World) {
  const { givenPassphrase } = await import('../../vault/passphrase.ts')
  return givenPassphrase(world) ?? chooseSecret(['Passphrase: ', 'Once more: '], world)
}
