import { systemClock } from '../../src/base/clock.ts'
import { openStorage } from '../../src/storage/database.ts'
import { quiet } from '../stores/quiet.ts'

/** Opens the database in the directory given, says so, and holds it until it is killed. */
await openStorage({ dataDir: process.argv[2] ?? '', clock: systemClock, log: quiet })
console.log('open')
setInterval(() => {}, 60_000)
