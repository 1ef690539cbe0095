import rhea, { type Delivery, type EventContext, type Message, type Sender } from 'rhea'
import { contentOf } from '../../history/recorder.ts'
import type { Vhost } from '../../support/vhost.ts'
import { routingKeys } from '../plan.ts'
import { randomOf, seedFor } from '../random.ts'
import { type Publisher, type PublisherOptions, steadily } from './publisher.ts'

const { message: sections, types } = rhea

/** One message in AMQP 1.0, whose body is that of a request. The same for the same seed and index. */
export const modernMessageAt = (seed: number, index: number) => {
  const random = randomOf(seedFor(seed, `AMQP 1.0 ${index}`))
  const body = Buffer.alloc(random.pick([0, 1, 300, 40_000]), index & 255)
  const parts = [body.subarray(0, body.length >> 1), body.subarray(body.length >> 1)]
  const message: Message = {
    ...{ message_id: `modern${index}`, durable: random.chance(0.8) },
    body: random.chance(0.3) ? sections.data_sections(parts) : sections.data_section(body),
    ...random.pick<Partial<Message>>([
      {},
      { content_type: 'application/json', subject: 's', reply_to: 'r', correlation_id: 'c', group_id: 'g' },
      { application_properties: { text: 'ü', number: 1, yes: true, nothing: null, half: types.wrap_double(0.5) } },
      { application_properties: { 'cloudEvents:bad': 1, 'waybill-attempts': 99, long: types.wrap_long(2 ** 40) } },
      { message_annotations: { 'x-opt-storm': 'a', 'x-routing-key': 'forged' }, priority: 9 },
    ]),
  }
  return { id: `modern${index}`, routingKey: random.pick(routingKeys), body, message }
}

/** A producer that speaks AMQP 1.0, which RabbitMQ does from version 4 on. */
export const startAmqp10Publisher = (
  { endpoint, name }: Vhost,
  { seed, perSecond, recorder, exchangeOf }: PublisherOptions,
): Publisher => {
  const { amqp, username, password } = endpoint
  const exchange = exchangeOf('orders')
  let index = 0
  const underWay = new Map<Delivery, string>()
  const settle = (delivery: Delivery | undefined, is: 'confirmed' | 'refused' | 'returned'): void => {
    const id = delivery && underWay.get(delivery)
    if (id === undefined) return
    underWay.delete(delivery as Delivery)
    recorder.publishEnded(id, is)
  }
  const lost = (): void => {
    for (const id of underWay.values()) recorder.publishEnded(id, 'unknown')
    underWay.clear()
  }

  const container = rhea.create_container()
  container
    .on('accepted', ({ delivery }: EventContext) => settle(delivery, 'confirmed'))
    .on('rejected', ({ delivery }: EventContext) => settle(delivery, 'refused'))
    .on('released', ({ delivery }: EventContext) => settle(delivery, 'returned'))
    .on('disconnected', lost)
  for (const fault of ['error', 'connection_error', 'session_error', 'sender_error', 'protocol_error'])
    container.on(fault, () => undefined)

  const connection = container.connect({
    ...{ host: amqp.hostname, port: Number(amqp.port), username, password, hostname: `vhost:${name}` },
    ...{ reconnect: true, initial_reconnect_delay: 200, max_reconnect_delay: 1_000 },
  })
  const address = (key: string): string => `/exchanges/${encodeURIComponent(exchange)}/${encodeURIComponent(key)}`
  const senders = new Map<string, Sender>(
    routingKeys.map((key) => [key, connection.open_sender({ target: { address: address(key) } })]),
  )

  const publishOne = (): boolean => {
    const { id, routingKey, body, message } = modernMessageAt(seed, index)
    const sender = senders.get(routingKey) as Sender
    if (!connection.is_open() || !sender.sendable()) return false
    index += 1
    recorder.published(id, { exchange, routingKey, content: contentOf(body) })
    underWay.set(sender.send(message), id)
    return true
  }
  return steadily(perSecond, underWay, publishOne, () => {
    lost()
    connection.options.reconnect = false
    connection.close()
  })
}
