import { UnencodableError } from './ended.ts'
import { basic, basicClass, frame, frameOverhead, headerPrefix } from './methods.ts'
import { type Output, putHead } from './output.ts'

export type Outgoing = {
  readonly exchange: string
  readonly routingKey: string
  /** As they stand on the wire: flags and list. */
  readonly properties: Buffer
  readonly body: Buffer
  readonly mandatory: boolean
}

// A body up to this is copied into the slab; sending a larger one by reference is cheaper than the copy.
const mostCopied = 16 * 1024
// Class and method, the reserved short, the lengths of two texts, the flags.
const methodBytes = 4 + 2 + 1 + 1 + 1

/** @throws {UnencodableError} for what AMQP cannot carry; nothing of it is sent then */
export const checkOutgoing = ({ exchange, routingKey, properties }: Outgoing, frameMax: number): void => {
  for (const text of [exchange, routingKey]) {
    const length = text.length < 64 ? 0 : Buffer.byteLength(text)
    if (length > 255) throw new UnencodableError(`the name ${text.slice(0, 40)}… has ${length} bytes, and may have 255`)
  }
  const most = frameMax - frameOverhead - headerPrefix
  if (properties.length > most) {
    throw new UnencodableError(`its properties and headers have ${properties.length} bytes; the broker takes ${most}`)
  }
}

/** Writes the frames of one message, which was checked. */
export const writePublish = (output: Output, channel: number, message: Outgoing, frameMax: number): void => {
  const { exchange, routingKey, properties, body, mandatory } = message
  const exchangeBytes = Buffer.byteLength(exchange)
  const keyBytes = Buffer.byteLength(routingKey)
  const methodSize = methodBytes + exchangeBytes + keyBytes
  const headerSize = headerPrefix + properties.length
  const start = output.claim(methodSize + headerSize + 2 * frameOverhead)
  const { slab } = output
  let at = putHead(slab, start, frame.method, channel, methodSize)
  at = slab.writeUInt32BE(basic.publish, at)
  at = slab.writeUInt16BE(0, at)
  slab[at++] = exchangeBytes
  at += slab.write(exchange, at)
  slab[at++] = keyBytes
  at += slab.write(routingKey, at)
  slab[at++] = mandatory ? 1 : 0
  slab[at++] = frame.end
  at = putHead(slab, at, frame.header, channel, headerSize)
  at = slab.writeUInt16BE(basicClass, at)
  at = slab.writeUInt16BE(0, at)
  at = slab.writeUInt32BE(Math.floor(body.length / 4_294_967_296), at)
  at = slab.writeUInt32BE(body.length >>> 0, at)
  at += properties.copy(slab, at)
  slab[at] = frame.end
  const most = frameMax - frameOverhead
  for (let from = 0; from < body.length; from += most) {
    writeBody(output, channel, body.subarray(from, Math.min(body.length, from + most)))
  }
}

const writeBody = (output: Output, channel: number, piece: Buffer): void => {
  if (piece.length <= mostCopied) {
    output.frame(frame.body, channel, piece)
    return
  }
  const start = output.claim(frameOverhead - 1)
  putHead(output.slab, start, frame.body, channel, piece.length)
  output.append(piece)
  const end = output.claim(1)
  output.slab[end] = frame.end
}
