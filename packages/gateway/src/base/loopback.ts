const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a name is one of this machine, as a URL's `hostname` has them. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK.has(hostname)
}

/** Whether secrets may travel to an address: by https, or by plain http that does not leave this machine. */
export function isSafePlace({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}
