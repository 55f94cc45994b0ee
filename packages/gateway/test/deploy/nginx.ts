import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { startProgram } from '../../../../scripts/lib/processes.ts'

export interface Nginx extends AsyncDisposable {
  /** Of the address that people use. */
  readonly origin: string
  /** The certificate, which is its own authority. */
  readonly certificate: string
  readonly plainPort: number
}

/** Whether there is an nginx here. `/usr/sbin` is on the path of root only. */
export const NGINX = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0)

const ours = new URL('../../../../deploy/nginx/sekisho.conf', import.meta.url)

/** Runs nginx with the configuration that is shipped; only ports, certificate and the gate's address are a test's own. */
export async function startNginx(port: number, gatePort: number): Promise<Nginx> {
  const home = await mkdtemp(join(tmpdir(), 'sekisho-nginx-'))
  const [key, certificate] = [join(home, 'key.pem'), join(home, 'certificate.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate])

  const plainPort = await freePort()
  const changes = {
    '127.0.0.1:7354': `127.0.0.1:${gatePort}`,
    'listen 80;': `listen 127.0.0.1:${plainPort};`,
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    'proxy_set_header Host $host;': `proxy_set_header Host $host:${port};`,
    '/etc/letsencrypt/live/gate.example.com/fullchain.pem': certificate,
    '/etc/letsencrypt/live/gate.example.com/privkey.pem': key,
  }
  let conf = await readFile(ours, 'utf8')
  for (const [shipped, here] of Object.entries(changes)) {
    if (!conf.includes(shipped)) throw new Error(`deploy/nginx/sekisho.conf has no ${shipped}`)
    conf = conf.replace(shipped, here)
  }
  const main = join(home, 'nginx.conf')
  await writeFile(main, mainConfig(home, conf.replaceAll('gate.example.com', 'localhost')))
  const program = startProgram({ name: 'nginx', command: NGINX ?? 'nginx', args: ['-c', main, '-e', 'stderr'] })
  await program.match(/start worker process \d+/, 60_000)
  return {
    origin: `https://localhost:${port}`,
    certificate: await readFile(certificate, 'utf8'),
    plainPort,
    async [Symbol.asyncDispose]() {
      await program.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** What Debian's own nginx.conf is around a file of conf.d, without what needs root. */
function mainConfig(home: string, conf: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${home}/${name};`)
  return `daemon off; pid ${home}/nginx.pid; error_log stderr notice; events {} http { ${paths.join(' ')}\n${conf}\n}`
}
