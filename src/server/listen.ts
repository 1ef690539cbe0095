/** The address cannot be listened on; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** Parses `host:port`, `[::1]:port`, or `:port` for every address. @throws ListenError */
export const hostAndPort = (listen: string, example = '127.0.0.1:9402'): { host: string | undefined; port: number } => {
  const [, host, digits] = /^(?:\[?([^[\]\s/]*?)\]?):(\d{1,5})$/.exec(listen) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) {
    throw new ListenError(`Cannot listen on ${JSON.stringify(listen)}: give host:port, such as ${example}`)
  }
  return { host: host || undefined, port }
}

/** Whether a host is this machine alone. */
export const isLoopback = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host)

/** Whether a URL leads to this machine alone. */
export const isLoopbackUrl = ({ hostname }: URL): boolean => isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))

/** The error for what Node reports; `option` is how the address was given. */
export const listenError = (listen: string, option: string, cause: NodeJS.ErrnoException): ListenError =>
  new ListenError(`Cannot listen on ${listen}: ${reasonOf(cause, option)}`, { cause })

const reasonOf = ({ code, message }: NodeJS.ErrnoException, option: string): string => {
  if (code === 'EADDRINUSE') return `the port is in use; choose another with ${option}`
  if (code === 'EACCES') return `not permitted; choose a port above 1023 with ${option}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address'
  return message
}
