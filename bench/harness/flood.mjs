// Sends requests at a rate, whatever is answered: half of its connections wait for answers, the others send ahead.
import { connect } from 'node:net'
import { setPriority } from 'node:os'

const { url, rate, headers, body } = JSON.parse(process.argv[2])
const { hostname, port, host } = new URL(url)
const CONNECTIONS = 256
const TICK_MS = 10

setPriority(19)
const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
const request = Buffer.from(
  [`POST /mcp HTTP/1.1`, `host: ${host}`, ...lines, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'),
)

let offered = 0
let sent = 0
const answers = new Map()
const slots = Array.from({ length: CONNECTIONS }, (_none, index) => ({ isPatient: index % 2 === 0, socket: undefined, waiting: 0 }))

function open(slot) {
  const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.66' })
  slot.socket = socket
  slot.waiting = 0
  socket.on('error', () => {})
  socket.on('close', () => setTimeout(open, 50, slot))
  socket.setEncoding('latin1').on('data', (text) => {
    for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d+)/g)) {
      answers.set(status, (answers.get(status) ?? 0) + 1)
      slot.waiting--
    }
  })
}
slots.forEach(open)

let next = 0
setInterval(() => {
  let due = Math.round((rate * TICK_MS) / 1000)
  offered += due
  for (let tried = 0; due > 0 && tried < CONNECTIONS; tried++) {
    const slot = slots[next++ % CONNECTIONS]
    if (!slot.socket.writable || slot.socket.writableNeedDrain || (slot.isPatient && slot.waiting > 0)) continue
    const count = slot.isPatient ? 1 : Math.min(due, 10)
    for (let index = 0; index < count; index++) slot.socket.write(request)
    slot.waiting += count
    sent += count
    due -= count
  }
}, TICK_MS)
console.log('flooding')

process.on('SIGTERM', () => {
  const said = [...answers].map(([status, count]) => `${count} answered ${status}`).join(', ')
  console.log(`flood: ${offered} requests to send, ${sent} that the gate took from the wire, ${said}`)
  process.exit(0)
})
