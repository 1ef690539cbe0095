/** The address cannot be listened on; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** Parses `host:port`, `[::1]:port`, or `:port` for every address. @throws ListenError */
export const hostAndPort = (listen: string): { host: string | undefined; port: number } => {
  const [, host, digits] = /^(?:\[?([^[\]\s/]*?)\]?):(\d{1,5})$/.exec(listen) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) {
    throw new ListenError(`Cannot listen on ${JSON.stringify(listen)}: give host:port, such as 127.0.0.1:9402`)
  }
  return { host: host || undefined, port }
}

/** The error for what Node reports. */
export const listenError = (listen: string, cause: NodeJS.ErrnoException): ListenError =>
  new ListenError(`Cannot listen on ${listen}: ${reasonOf(cause)}`, { cause })

const reasonOf = ({ code, message }: NodeJS.ErrnoException): string => {
  if (code === 'EADDRINUSE') return 'the port is in use; choose another with --listen'
  if (code === 'EACCES') return 'not permitted; choose a port above 1023 with --listen'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address'
  return message
}
