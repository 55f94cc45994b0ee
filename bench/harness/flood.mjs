// Sends requests at a rate by the clock, whatever is answered: half of its connections wait for answers, the others send
// ahead. It goes last for the processor, so that a gate which is late is late of itself; what it could not send it says.
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setPriority } from 'node:os'

const { url, rate, headers, body, connections, addresses } = JSON.parse(process.argv[2])
const { hostname, port, host } = new URL(url)
const TICK_MS = 5
/** As many as one read of the gate holds. */
const AHEAD = 100
const LEAST = 19

setPriority(LEAST)
try {
  // Where Linux shares the processor out among sessions first, the priority of a process says nothing between them.
  writeFileSync('/proc/self/autogroup', String(LEAST))
} catch {}

const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
const request = Buffer.from(
  [`POST /mcp HTTP/1.1`, `host: ${host}`, ...lines, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'),
)
const ahead = Buffer.concat(Array(AHEAD).fill(request))

let offered = 0
let written = 0
let closed = 0
const answers = new Map()
const slots = Array.from({ length: connections }, (_none, index) => {
  const number = (index >> 1) % addresses
  const localAddress = `127.0.${66 + (number >> 8)}.${number & 255}`
  return { isPatient: index % 2 === 0, localAddress, socket: undefined, waiting: 0 }
})

function open(slot) {
  const socket = connect({ host: hostname, port: Number(port), localAddress: slot.localAddress })
  slot.socket = socket
  slot.waiting = 0
  socket.on('error', () => {})
  socket.on('close', () => {
    closed++
    setTimeout(open, 50, slot)
  })
  socket.setEncoding('latin1').on('data', (text) => {
    for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d+)/g)) {
      answers.set(status, (answers.get(status) ?? 0) + 1)
      slot.waiting--
    }
  })
}
slots.forEach(open)

let next = 0
const began = performance.now()
setInterval(() => {
  let due = Math.round(((performance.now() - began) * rate) / 1000) - offered
  offered += due
  for (let tried = 0; due > 0 && tried < connections; tried++) {
    const slot = slots[next++ % connections]
    if (!slot.socket.writable || slot.socket.writableNeedDrain || (slot.isPatient && slot.waiting > 0)) continue
    const count = slot.isPatient ? 1 : Math.min(due, AHEAD)
    slot.socket.write(ahead.subarray(0, request.length * count))
    slot.waiting += count
    written += count
    due -= count
  }
}, TICK_MS)
console.log('flooding')

process.on('SIGTERM', () => {
  const seconds = (performance.now() - began) / 1000
  console.log(JSON.stringify({ perSecond: written / seconds, closed, answers: Object.fromEntries(answers) }))
  process.exit(0)
})
