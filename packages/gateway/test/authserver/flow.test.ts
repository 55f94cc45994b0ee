import { expect, test } from 'vitest'
import { eachDatabase } from '../stores/databases.ts'
import { createBrowser } from './browser.ts'
import { authorize, authorizeUrl, createPkce, letIn, openScene, redeem, REDIRECT, registerClient } from './scene.ts'

eachDatabase((_name, openFresh) => {
  test('R1-11: a client that registered itself is let in by its user, and its token opens what was asked', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { verifier, challenge } = createPkce()
    const browser = createBrowser()

    const { answer, asked } = await authorize(scene, browser, user, authorizeUrl(scene, { clientId, challenge }))
    expect(asked).toEqual(['login', 'consent'])
    expect(answer.href.startsWith(`${REDIRECT}?`)).toBe(true)
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({ state: 'xyz', iss: scene.publicUrl })

    const code = answer.searchParams.get('code') ?? ''
    const { status, body, headers } = await redeem(scene, { clientId, code, verifier })
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'mcp' })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(await scene.server.verify(String(body['access_token']))).toMatchObject({
      userId: user.id,
      userName: 'ada',
      role: 'member',
      clientId,
      scopes: ['mcp'],
    })
    expect(await letIn(scene, user, { clientId })).toBeDefined()
  })
})
