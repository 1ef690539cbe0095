import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type End, OpenError } from './ended.ts'
import type { Login } from './handshake.ts'
import { closedError, socketError } from './open-failure.ts'
import { Wire } from './wire.ts'

export type Address = Login & {
  readonly protocol: 'amqp' | 'amqps'
  readonly hostname: string
  readonly port: number
  readonly timeoutMs: number
  /** PEM of the only authority trusted; the system's when left out. */
  readonly ca?: string
  readonly lookup?: LookupFunction
}

// What is read lands in one buffer, over and over: everything that is kept is copied out of it anyway.
const readBytes = 64 * 1024

/**
 * Opens a connection. Aborting the signal destroys its socket, at any time.
 *
 * @throws {OpenError}
 */
export const dial = async (address: Address, signal: AbortSignal): Promise<Wire> => {
  if (signal.aborted) throw new OpenError('aborted', 'no connection is wanted any more')
  let failure: Error | undefined
  const socket = socketTo(address, (bytes) => wire.read(bytes))
  const wire = new Wire(socket, address)
  const drop = (end: End) => wire.destroy(end)
  const abort = () => drop({ by: 'us', text: 'the connection was dropped' })
  socket.on('error', (error) => {
    failure = error
    drop({ by: 'socket', text: `the connection broke: ${error.message}` })
  })
  signal.addEventListener('abort', abort, { once: true })
  void wire.ended.then(() => signal.removeEventListener('abort', abort))

  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    drop({ by: 'us', text: 'the connection was not open in time' })
  }, address.timeoutMs)
  // A connection that was opened and has ended at once counts as opened: whoever uses it is told its end.
  const end = await Promise.race([wire.opened, wire.ended])
  clearTimeout(timer)
  if (end === undefined) return wire
  if (signal.aborted) throw new OpenError('aborted', 'no connection is wanted any more')
  if (isLate) throw new OpenError('timeout', `the broker did not open the connection within ${address.timeoutMs} ms`)
  throw failure ? socketError(failure, address) : closedError(end, wire.progress)
}

const socketTo = (address: Address, read: (bytes: Buffer) => void): Socket => {
  const { protocol, hostname: host, port, ca, lookup } = address
  const callback = (length: number, buffer: Uint8Array): boolean => {
    read(buffer.length === length ? (buffer as Buffer) : (buffer as Buffer).subarray(0, length))
    return true
  }
  const options = {
    ...{ host, port, noDelay: true, onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback } },
    ...(lookup === undefined ? {} : { lookup }),
  }
  if (protocol === 'amqp') return connectTcp(options)
  const servername = isIP(host) ? {} : { servername: host }
  return connectTls({ ...options, ...servername, ...(ca === undefined ? {} : { ca }) })
}
