import { Payload, type Table } from './arguments.ts'
import type { Channel } from './channel.ts'
import { basic, confirm, exchange, queue } from './methods.ts'

/** What is asked of a channel, one function a method. Each rejects with an `EndedError` when the broker refuses it. */

const nothing = (): void => undefined

export const selectConfirms = (channel: Channel): Promise<void> =>
  channel.call(new Payload(confirm.select).bits(false), [confirm.selectOk], nothing)

/** Counts for the consumers that are started after it. */
export const setPrefetch = (channel: Channel, count: number): Promise<void> =>
  channel.call(new Payload(basic.qos).long(0).short(count).bits(false), [basic.qosOk], nothing)

export const startConsuming = (channel: Channel, name: string, consumerTag: string): Promise<void> => {
  const payload = new Payload(basic.consume).short(0).text(name).text(consumerTag)
  return channel.call(payload.bits(false, false, false, false).table({}), [basic.consumeOk], nothing)
}

export const stopConsuming = (channel: Channel, consumerTag: string): Promise<void> =>
  channel.call(new Payload(basic.cancel).text(consumerTag).bits(false), [basic.cancelOk], nothing)

/** `upTo` acknowledges every delivery up to this one. */
export const acknowledge = (channel: Channel, deliveryTag: number, upTo: boolean): void =>
  channel.tell(settling(basic.ack, deliveryTag, upTo ? 1 : 0))

export const reject = (channel: Channel, deliveryTag: number, requeue: boolean): void =>
  channel.tell(settling(basic.reject, deliveryTag, requeue ? 1 : 0))

/** Rejects every delivery up to this one. */
export const rejectUpTo = (channel: Channel, deliveryTag: number, requeue: boolean): void =>
  channel.tell(settling(basic.nack, deliveryTag, requeue ? 3 : 1))

// In one piece: there is one for every message.
const settling = (id: number, deliveryTag: number, bits: number): { readonly bytes: Buffer } => {
  const bytes = Buffer.allocUnsafe(13)
  bytes.writeUInt32BE(id)
  bytes.writeUInt32BE(Math.floor(deliveryTag / 4_294_967_296), 4)
  bytes.writeUInt32BE(deliveryTag >>> 0, 8)
  bytes[12] = bits
  return { bytes }
}

export type Counts = { readonly messages: number; readonly consumers: number }

/** Asks for a queue, which must exist. The messages are those that are ready. */
export const checkQueue = (channel: Channel, name: string): Promise<Counts> =>
  declare(channel, name, { passive: true, durable: false }, {})

export const declareQueue = (channel: Channel, name: string, durable: boolean, args: Table): Promise<Counts> =>
  declare(channel, name, { passive: false, durable }, args)

const declare = (
  channel: Channel,
  name: string,
  { passive, durable }: { readonly passive: boolean; readonly durable: boolean },
  args: Table,
): Promise<Counts> => {
  const payload = new Payload(queue.declare).short(0).text(name).bits(passive, durable, false, false, false).table(args)
  return channel.call(payload, [queue.declareOk], (cursor) => {
    cursor.text()
    return { messages: cursor.long(), consumers: cursor.long() }
  })
}

export type Binding = {
  readonly source: string
  readonly destination: string
  readonly routingKey: string
  readonly arguments: Table
}

export const bindQueue = (channel: Channel, binding: Binding): Promise<void> => {
  const payload = bindingFields(new Payload(queue.bind).short(0), binding).bits(false).table(binding.arguments)
  return channel.call(payload, [queue.bindOk], nothing)
}

export const unbindQueue = (channel: Channel, binding: Binding): Promise<void> => {
  const payload = bindingFields(new Payload(queue.unbind).short(0), binding).table(binding.arguments)
  return channel.call(payload, [queue.unbindOk], nothing)
}

const bindingFields = (payload: Payload, { destination, source, routingKey }: Binding): Payload =>
  payload.text(destination).text(source).text(routingKey)

/** Resolves to how many messages were deleted with it. Only a classic queue can be deleted only `ifEmpty`. */
export const deleteQueue = (channel: Channel, name: string, ifEmpty = false): Promise<number> => {
  const payload = new Payload(queue.delete).short(0).text(name).bits(false, ifEmpty, false)
  return channel.call(payload, [queue.deleteOk], (cursor) => cursor.long())
}

export const declareExchange = (channel: Channel, name: string, type: string, args: Table): Promise<void> => {
  const payload = new Payload(exchange.declare).short(0).text(name).text(type)
  return channel.call(payload.bits(false, true, false, false, false).table(args), [exchange.declareOk], nothing)
}

export const deleteExchange = (channel: Channel, name: string): Promise<void> =>
  channel.call(new Payload(exchange.delete).short(0).text(name).bits(false, false), [exchange.deleteOk], nothing)
