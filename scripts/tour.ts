import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readArguments } from './lib/arguments.ts'
import type { Browser } from './lib/browser.ts'
import { startGate, type Gate } from './lib/gate.ts'
import { connectLegacy, connectModern, type McpClient } from './lib/mcp-clients.ts'
import { signInClient, type SigningIn } from './lib/oauth-client.ts'
import { acceptInvitation, connectMal } from './lib/people.ts'
import { stillRunning, treeOf } from './lib/process-tree.ts'
import { startProgram } from './lib/processes.ts'
import { createStory } from './lib/story.ts'

/** A user of the tour, and the client they come with. */
interface Person {
  readonly name: string
  /** Signed in to the gate. */
  readonly browser: Browser
  /** What their client is let in with. */
  readonly signingIn: SigningIn
  /** Whose list they have at MyAnimeList. */
  readonly account: { readonly name: string; readonly password: string }
  /** What their own account at the demonstration service is opened with. */
  readonly token: string
  readonly client: McpClient
}

/** Somebody whose client is no program for people: it comes with a key. */
interface Robot {
  readonly key: string
  readonly client: McpClient
}

interface Cast {
  readonly gate: Gate
  readonly ada: Person
  readonly ben: Person
  readonly carol: Robot
}

const CLI = resolve(import.meta.dirname, '../packages/gateway/src/cli/main.ts')
/** What the gate was started with, and no server of a user's may ever see. */
const GATE_SECRETS = { SEKISHO_ROOT_KEY: randomBytes(32).toString('base64'), OPERATOR_SECRET: 'operators-only-4711' }
/** One tool of each server that wants no token, and the gate's own. */
const OPEN_TOOLS = [
  'everything__test_simple_text',
  'filesystem__read_text_file',
  'memory__read_graph',
  'sequential-thinking__sequentialthinking',
  'sekisho_status',
]
const REDIRECT = 'http://127.0.0.1:6791/callback'
/** What a server is given besides what its configuration names. */
const GIVEN = new Set(['PATH', 'HOME', 'TMPDIR', 'LANG', 'SERVICE_TOKEN'])

const HELP = `Walks through the whole story unattended, a line per step. Exits with 1 where one fails.

  npm run tour

It takes no options.`

readArguments(HELP, {})

const { step, end } = createStory(console.log)

try {
  await tour()
  end()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** The whole story: two people, real MCP servers, one address, each call with the caller's own credential. */
async function tour(): Promise<void> {
  console.log('The gate')
  await using gate = await step('starts with no configuration file and is ready', () =>
    startGate({ firstRun: true, env: GATE_SECRETS }),
  )
  await using open = new AsyncDisposableStack()
  const url = `http://localhost:${new URL(gate.url).port}/mcp`
  const ada = await step('invites ada, who signs in and lets in a client of revision 2026-07-28', async () => {
    const person = await letIn({ gate, url, name: 'ada', account: 'mika' })
    return { ...person, client: open.use(await connectModern(url, person.signingIn)) }
  })
  const ben = await step('invites ben, whose older client opens with initialize', async () => {
    const person = await letIn({ gate, url, name: 'ben', account: 'haru' })
    return { ...person, client: open.use(await connectLegacy(url, person.signingIn)) }
  })
  const carol = await step('takes in carol, whose program comes with an API key', async () => {
    const { key } = await gate.addUser('carol')
    return { key, client: open.use(await connectModern(url, key)) }
  })
  try {
    for (const chapter of [listTools, connectAccounts, missTokens, callWithOwnTokens, remember, breakThings, stop]) {
      await chapter({ gate, ada, ben, carol })
    }
  } catch (error) {
    console.error(`The gate wrote last:\n${gate.log().split('\n').slice(-20).join('\n')}`)
    throw error
  }
}

interface Newcomer {
  readonly gate: Gate
  readonly url: string
  readonly name: string
  readonly account: string
}

async function letIn({ gate, url, name, account }: Newcomer) {
  const browser = await acceptInvitation(await gate.inviteUser(name), {
    stopAt: (target) => target.href.startsWith(REDIRECT),
  })
  const signingIn = await signInClient(url, browser, { redirectUrl: REDIRECT, name: `${name}'s client` })
  const token = `${name}-own-service-token`
  return { name, browser, signingIn, token, account: { name: account, password: `${account}-password` } }
}

async function listTools({ ada, ben }: Cast): Promise<void> {
  console.log('Tools, all at one address')
  for (const { name, client } of [ada, ben]) {
    await step(`${name} is shown those of four servers, and none of the one that wants a token`, async () => {
      const names = await client.toolNames()
      for (const tool of OPEN_TOOLS) assert.ok(names.includes(tool), `${tool} is not listed`)
      assert.ok(!names.includes('reference__get-env'), 'reference__get-env is listed')
    })
  }
}

async function connectAccounts({ ada, ben, carol }: Cast): Promise<void> {
  console.log('MyAnimeList, each with their own account')
  for (const { name, client, browser, account } of [ada, ben]) {
    await step(`${name}'s first call answers with a link, and ${name} connects ${account.name} there`, async () => {
      const page = await connectMal(browser, await linkOf(client), account)
      assert.match(page.text, /Connected/)
    })
  }
  for (const [self, other] of [
    [ada, ben],
    [ben, ada],
  ] as const) {
    await step(`${self.name} sees the list of ${self.account.name}, and nobody else's`, async () => {
      const text = await callTool(self, 'myanimelist__get_user_stats')
      assert.ok(!text.includes(other.account.name))
      assert.notEqual(text, await callTool(other, 'myanimelist__get_user_stats'))
    })
  }
  await step('carol, who has connected nothing, is given the link', () => linkOf(carol.client))
}

async function linkOf(client: McpClient): Promise<string> {
  const { text, isError } = await client.call('myanimelist__get_my_anime_list')
  const [link] = /http:\/\/\S+\/connect\/myanimelist\?t=[\w.-]+/.exec(text) ?? []
  assert.ok(isError && link !== undefined, text)
  return link
}

async function missTokens({ gate, ada, ben }: Cast): Promise<void> {
  console.log('A missing token')
  await step('is explained by the tool that would need it', () => checkExplained(ada.client, 'reference__get-env'))
  await step('is explained by sekisho_status', () => checkExplained(ben.client, 'sekisho_status'))
  await step('is not made up for by one of the wrong form', async () => {
    const { status, body } = await gate.admin('PUT', '/admin/api/tokens/reference', { user: 'ada', token: 'short' })
    assert.equal(status, 400)
    assert.match(JSON.stringify(body), /token\.format/)
    await checkExplained(ada.client, 'reference__get-env')
  })
  await step('is set for ada over the admin API', () => gate.setToken('ada', 'reference', ada.token))
  await step('is set for ben with `sekisho token set`', () => setWithCli(gate, ben))
}

/** The reason, and both halves of the way out: where a token comes from, and how it is set. */
async function checkExplained(client: McpClient, tool: string): Promise<void> {
  const { text } = await client.call(tool)
  assert.match(text, /Demo service/)
  assert.match(text, /sekisho token set reference/)
}

/** The token goes over standard input: arguments can be seen by every user of the machine. */
async function setWithCli(gate: Gate, { name, token }: Person): Promise<void> {
  const sekisho = startProgram({
    name: 'sekisho token set',
    command: process.execPath,
    args: [CLI, 'token', 'set', 'reference', '--user', name],
    env: { ...process.env, SEKISHO_DATA: gate.dataDir },
    input: `${token}\n`,
  })
  const { code } = await sekisho.ended
  assert.equal(code, 0, sekisho.output())
  assert.ok(!sekisho.output().includes(token), 'the token was printed')
}

async function callWithOwnTokens({ gate, ada, ben }: Cast): Promise<void> {
  console.log("Calls, each with the caller's own credential")
  for (const [self, other] of [
    [ada, ben],
    [ben, ada],
  ] as const) {
    await step(`${self.name}'s server was given ${self.name}'s token, and nothing else of anybody's`, async () => {
      const text = await callTool(self, 'reference__get-env')
      const environment: Record<string, string> = JSON.parse(text)
      assert.equal(environment['SERVICE_TOKEN'], self.token)
      checkSecretsAbsent(text, [other.token, bearerOf(other), bearerOf(self)])
      const strange = Object.keys(environment).filter((name) => !GIVEN.has(name))
      assert.deepEqual(strange, [])
    })
  }
  // A list says how long it may be kept, and ada's client keeps it: one that connects now has none.
  await step("a client that connects now is shown that server's tools as well", async () => {
    await using client = await connectModern(`http://localhost:${new URL(gate.url).port}/mcp`, ada.signingIn)
    assert.ok((await client.toolNames()).includes('reference__get-env'))
  })
}

async function remember({ ada, ben }: Cast): Promise<void> {
  console.log('Memory')
  await step('ada stores something in her graph', async () => {
    const entity = { name: 'Toledo', entityType: 'city', observations: ['has a gate on its bridge'] }
    await callTool(ada, 'memory__create_entities', { entities: [entity] })
    assert.match(await callTool(ada, 'memory__read_graph'), /Toledo/)
  })
  await step("ben's graph is empty", async () => {
    assert.deepEqual(JSON.parse(await callTool(ben, 'memory__read_graph')), { entities: [], relations: [] })
  })
}

async function breakThings({ gate, ada, ben, carol }: Cast): Promise<void> {
  console.log('When something breaks')
  const killed = await step("ada's memory server is killed", async () => {
    const pid = await findChild(gate, 'memory', 'ada')
    const child = treeOf(pid)
    process.kill(pid, 'SIGKILL')
    while (stillRunning(child).length > 0) await sleep(5)
    return pid
  })
  await step("ada's other servers go on, and so does ben's memory", async () => {
    await callTool(ada, 'filesystem__list_allowed_directories')
    await callTool(ben, 'memory__read_graph')
  })
  await step("ada's next call starts it again, and her graph is still there", async () => {
    assert.match(await callTool(ada, 'memory__read_graph'), /Toledo/)
    assert.notEqual(await findChild(gate, 'memory', 'ada'), killed)
  })
  await step("carol's key is revoked, and refused with 401 at once", () => checkRevoked(gate, carol.key))
  await step('ben takes back what he allowed his client, and its token is refused with 401 at once', async () => {
    const token = bearerOf(ben)
    assert.notEqual(await statusWith(gate.url, token), 401)
    const page = await ben.browser.open(`http://localhost:${new URL(gate.url).port}/account/clients`)
    await page.press(/^Revoke/)
    assert.equal(await statusWith(gate.url, token), 401)
  })
  await step("ada's client goes on", () => callTool(ada, 'sekisho_status'))
}

/** Finds the process of a user's server in what the gate says of itself. */
async function findChild(gate: Gate, server: string, user: string): Promise<number> {
  const { body } = await gate.admin('GET', '/admin/api/status')
  const { children } = body as { children: readonly { server: string; user?: string; pid?: number }[] }
  const child = children.find((candidate) => candidate.server === server && candidate.user === user)
  assert.ok(child?.pid !== undefined, `${server} does not run for ${user}`)
  return child.pid
}

async function checkRevoked({ admin, url }: Gate, key: string): Promise<void> {
  assert.notEqual(await statusWith(url, key), 401)
  const { body } = await admin('GET', '/admin/api/keys?user=carol')
  const { keys } = body as { keys: readonly { id: string }[] }
  for (const { id } of keys) assert.equal((await admin('DELETE', `/admin/api/keys/${id}`)).status, 204)
  assert.equal(await statusWith(url, key), 401)
}

async function statusWith(url: string, key: string): Promise<number> {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  return (await fetch(`${url}/mcp`, { method: 'POST', headers, body })).status
}

async function stop({ gate, ada, ben, carol }: Cast): Promise<void> {
  console.log('The end')
  await step('the gate stops in order, and leaves no process behind', async () => {
    const tree = treeOf(gate.pid)
    assert.ok(tree.length > 1, 'no server ran')
    assert.deepEqual(await gate.kill('SIGTERM'), { code: 0, signal: null })
    assert.deepEqual(stillRunning(tree), [])
  })
  await step('no secret is in what it wrote', () => {
    checkSecretsAbsent(gate.log(), [ada.token, bearerOf(ada), ben.token, bearerOf(ben), carol.key])
  })
}

function bearerOf({ signingIn }: Person): string {
  return signingIn.held()?.access_token ?? ''
}

async function callTool({ client }: Person, tool: string, args?: Record<string, unknown>): Promise<string> {
  const { text, isError } = await client.call(tool, args)
  assert.ok(!isError, text)
  return text
}

function checkSecretsAbsent(text: string, secrets: readonly string[]): void {
  for (const secret of [...secrets, ...Object.values(GATE_SECRETS)])
    assert.ok(!text.includes(secret), 'it holds a secret')
}
