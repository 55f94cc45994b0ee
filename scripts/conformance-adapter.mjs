/**
 * What the conformance suite starts for each client scenario, with the address of the scenario's server as the last
 * word. The client that is tested is the gate, and starting one takes longer than asking for one: so this only tells
 * the driver (`lib/conformance-client/driver.ts`) what the suite wants, and ends as the scenario ended.
 */
const environment = process.env
const answer = await fetch(environment.SEKISHO_CONFORMANCE_DRIVER, {
  method: 'POST',
  body: JSON.stringify({
    url: process.argv.at(-1),
    scenario: environment.MCP_CONFORMANCE_SCENARIO,
    revision: environment.MCP_CONFORMANCE_PROTOCOL_VERSION,
    context: JSON.parse(environment.MCP_CONFORMANCE_CONTEXT ?? '{}'),
  }),
})
console.log(await answer.text())
process.exitCode = answer.ok ? 0 : 1
