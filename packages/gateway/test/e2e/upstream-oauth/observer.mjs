/**
 * Loaded before a server whose program is not to be touched: writes down what it is sent to prove who calls, and on
 * SIGUSR2 lets three quarters of a minute pass.
 */
import { subscribe } from 'node:diagnostics_channel'

subscribe('http.server.request.start', ({ request }) => {
  const { authorization } = request.headers
  if (authorization !== undefined) console.log(`received ${request.method} ${request.url}: ${authorization}`)
})

const now = Date.now
let passed = 0
Date.now = () => now() + passed
process.on('SIGUSR2', () => {
  passed += 45_000
  console.log(`passed ${passed}`)
})
