import { setFlagsFromString } from 'node:v8'

/**
 * A server that sends one request a second has time, and should take little memory: the heap is collected rather than
 * grown, and code is run as it is instead of being compiled better on further threads. A list of 25,000 entries then
 * takes some 80 MB less, for a second more of computing (`npm run large -w packages/mal`). This comes before all other
 * imports, since it counts for what is run after it.
 */
const flags = ['--optimize-for-size', '--semi-space-growth-factor=1', '--no-opt', '--no-maglev', '--no-sparkplug']
for (const flag of flags) setFlagsFromString(flag)
