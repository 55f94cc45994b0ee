/** `npm run crash -w packages/mal`: 2,000 changes on a list of 25,000, killed twice on the way, resumed and undone. */
import { crashAndResume } from './crash.ts'

const report = await crashAndResume({ user: 'collector', items: 2_000, killAfter: [700, 1_400] })
const { milliseconds, requests, undone } = report
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

console.log(`2,000 changes on a list of 25,000 anime, killed ${report.kills} times (SIGKILL), in ${report.calls} calls
  entries that are not as they were to be   ${report.wrong.length}
  entries written twice, or never           ${report.notOnce.length}
  reported                                  ${String(report.last['done'])} done, ${String(report.last['failed'])} failed, ${String(report.last['left_alone'])} left alone
  requests to MyAnimeList                   ${requests['PATCH']} changes, ${requests['GET']} reads
  planned in                                ${seconds(milliseconds.plan)}
  carried out in                            ${seconds(milliseconds.carryOut)}, restarts and their waiting included
  undone                                    ${undone.done} in ${seconds(milliseconds.undo)}, ${undone.wrong.length} not as before
  most memory of the last server            ${report.mostMegabytes ?? 'not known'} MB`)
process.exitCode = report.wrong.length + report.notOnce.length + undone.wrong.length > 0 ? 1 : 0
