import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A site over https on this machine, whose certificate is its own authority. */
export interface SecureSite extends AsyncDisposable {
  /** As a URL's `host`. */
  readonly host: string
  readonly origin: string
  /** The file of the certificate, for whoever shall believe it. */
  readonly certificate: string
}

export async function openSecureSite(listener: RequestListener): Promise<SecureSite> {
  const home = await mkdtemp(join(tmpdir(), 'sekisho-site-'))
  const [key, certificate] = [join(home, 'key.pem'), join(home, 'certificate.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate])
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const host = `localhost:${(server.address() as AddressInfo).port}`
  return {
    host,
    origin: `https://${host}`,
    certificate,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
      await rm(home, { recursive: true, force: true })
    },
  }
}
