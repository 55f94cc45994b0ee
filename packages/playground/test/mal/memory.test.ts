import { expect, test } from 'vitest'
import { refresh, startMal } from './support.ts'

test('what was issued outlives the process where there is a memory, which holds no token', async () => {
  let text: string | undefined
  const memory = {
    read: () => text,
    write(written: string) {
      text = written
    },
  }
  const first = await startMal({ memory })
  const mika = first.issueTokens('mika')
  const haru = first.issueTokens('haru')
  first.revoke('haru')
  await first.close()
  expect(text).not.toContain(mika.accessToken)
  expect(text).not.toContain(mika.refreshToken)

  await using next = await startMal({ memory })
  const me = (token: string) => next.get('/v2/users/@me', { authorization: `Bearer ${token}` })
  expect((await me(mika.accessToken)).status).toBe(200)
  expect((await me(haru.accessToken)).status).toBe(401)
  expect((await refresh(next, mika.refreshToken)).status).toBe(200)
})
