import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAdminClient } from '../../../../../scripts/lib/admin.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { knock } from '../../attacks/ground.ts'
import { hidden, openBrowser } from '../../login/browser.ts'
import { PASSWORD } from '../../login/scene.ts'
import { enterPassword } from '../../login/ways-in.ts'
import { GENEROUS } from '../journey/outside.ts'

/** R3-17b: what a tenant asked of its people is not what another asks. */
test('into a tenant that the configuration names no more nobody comes in a browser, and its keys go on working', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sekisho-tenant-'))
  const port = await freePort()
  const url = `http://localhost:${port}`
  const start = (tenants: object) => startGate({ port, dataDir, config: { limits: { perMinute: GENEROUS }, tenants } })
  const isIn = async () => (await browser.get('/account')).status === 200
  const browser = openBrowser(url)
  try {
    let gate = await start({ staff: {} })
    const staff = createAdminClient(dataDir, 'staff')
    const { key } = await staff.addUser('ben', { role: 'owner', scopes: ['mcp', 'admin', 'metrics'] })
    const link = new URL(await staff.inviteUser('ada')).pathname
    const page = await browser.get(link)
    await browser.post(link, { ...hidden(page), password: PASSWORD, again: PASSWORD })
    expect(await isIn()).toBe(true)
    const metrics = () => fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${key}` } })
    expect((await metrics()).status, 'metrics are about the whole gate, and for its own tenant').not.toBe(200)
    await gate.stop()

    gate = await start({})
    expect(await isIn()).toBe(false)
    const outside = openBrowser(url)
    expect((await enterPassword(outside, 'staff/ada')).status).toBe(400)
    expect(await knock(`${url}/mcp`, key)).toBe(200)
    expect(gate.log()).toContain('tenant.not_configured')
    await gate.stop()

    gate = await start({ staff: {} })
    expect((await enterPassword(outside, 'staff/ada')).location).toBe('/account')
    expect(gate.log()).not.toContain('tenant.not_configured')
    await gate.stop()
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
