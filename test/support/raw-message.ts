import { type Channel, type ChannelModel, connect } from 'amqplib'

/** A header as it lies in a table: its name, the letter of its type, and its value. */
export const rawHeader = (name: string | Buffer, type: string, value: Buffer | readonly number[] = []): Buffer => {
  const bytes = Buffer.from(name)
  return Buffer.concat([Buffer.of(bytes.length), bytes, Buffer.from(type), Buffer.from(value)])
}

/** Bytes with their length before them, as texts, byte arrays, tables and arrays are. */
export const rawBytes = (...parts: readonly (string | Buffer)[]): Buffer => {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

const frame = (type: number, channel: number, payload: Buffer): Buffer => {
  const start = Buffer.alloc(7)
  start.writeUInt8(type)
  start.writeUInt16BE(channel, 1)
  start.writeUInt32BE(payload.length, 3)
  return Buffer.concat([start, payload, Buffer.of(0xce)])
}

const short = (text: string): Buffer => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)])

/** Publishes messages whose properties are these bytes, flags and list, as no client would write them. */
export const publishRaw = async (
  amqpUrl: string,
  exchange: string,
  routingKey: string,
  messages: readonly { readonly properties: Buffer; readonly body: Buffer }[],
): Promise<void> => {
  const connection = await connect(amqpUrl)
  const channel = await connection.createConfirmChannel()
  const inside = channel as unknown as Channel & { ch: number }
  const { stream } = (connection as ChannelModel & { connection: { stream: { write(bytes: Buffer): void } } })
    .connection
  for (const { properties, body } of messages) {
    const method = Buffer.concat([Buffer.from([0, 60, 0, 40, 0, 0]), short(exchange), short(routingKey), Buffer.of(0)])
    const size = Buffer.alloc(8)
    size.writeBigUInt64BE(BigInt(body.length))
    const header = Buffer.concat([Buffer.from([0, 60, 0, 0]), size, properties])
    const bodies = body.length > 0 ? [frame(3, inside.ch, body)] : []
    stream.write(Buffer.concat([frame(1, inside.ch, method), frame(2, inside.ch, header), ...bodies]))
  }
  // What was written before is processed before this is answered.
  await channel.checkExchange('amq.direct')
  await connection.close()
}
