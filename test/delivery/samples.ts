import { type Subscription, subscription } from '../../src/api/kinds/subscription.ts'
import { validate } from '../../src/api/kinds/validate.ts'
import { apiVersion, type Kind } from '../../src/api/resource.ts'
import { type Attempt, attemptAfter, type Ended } from '../../src/delivery/attempt/attempt.ts'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import { type Request, toRequest } from '../../src/delivery/attempt/request.ts'
import { type Target, targetOf } from '../../src/delivery/attempt/target.ts'
import type { CloudEvent } from '../../src/delivery/event/cloud-event.ts'
import { toEvent } from '../../src/delivery/event/event.ts'
import { type History, historyOf, type Whence } from '../../src/delivery/message/history.ts'
import type { Message } from '../../src/delivery/message/message.ts'
import { encoded, type PlainProperties } from '../support/foreign-codec.ts'

export const returnExchange = 'waybill.return'
export const whence: Whence = { returnExchange, countsDeliveries: true, timeToLiveMs: undefined }
export const origin = { subscription: 'shop/billing', queue: 'waybill.sub.shop.billing' }
export const now = Date.parse('2025-03-01T12:00:00Z')

export const messageOf = (
  properties: PlainProperties = {},
  content: string | Buffer = 'hello',
  fields: Partial<Message['fields']> = {},
): Message => ({
  content: Buffer.from(content),
  fields: { exchange: 'shop.orders', routingKey: 'order.placed', redelivered: false, ...fields },
  properties: encoded(properties),
})

/** The headers of a complete event under a prefix, some of them replaced. */
export const eventHeaders = (prefix: string, attributes: Record<string, unknown> = {}): Record<string, unknown> => {
  const all = { specversion: '1.0', id: 'a-1', source: '/shop', type: 'order.placed', ...attributes }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [prefix + name, value]))
}

export const subscriptionOf = (
  delivery: object = {},
  subscriber: object = { url: 'http://billing.example/events' },
): Subscription => {
  const spec = { topicRef: { name: 'orders' }, subscriber, delivery }
  const result = validate(subscription as Kind, { apiVersion, kind: 'Subscription', spec })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  const metadata = { namespace: 'shop', name: 'billing' }
  return { apiVersion, kind: 'Subscription', metadata, spec: result.spec } as unknown as Subscription
}

export const fresh: History = historyOf(messageOf(), whence)

export const attemptOn = (history: History = fresh): Attempt => attemptAfter(history, now)

/** The attempt that follows a history, as it ended with this outcome. */
export const endedOf = (outcome: Outcome | undefined, history: History = fresh, endedAt = now): Ended => ({
  attempt: attemptOn(history),
  outcome,
  endedAt,
})

export const eventOf = (message: Message): CloudEvent => {
  const event = toEvent(message, historyOf(message, whence))
  if ('unparsable' in event) throw new Error(event.unparsable)
  return event
}

export const reasonOf = (message: Message): string => {
  const event = toEvent(message, historyOf(message, whence))
  return 'unparsable' in event ? event.unparsable : 'is a valid event'
}

export const targetFor = (contentMode: 'Binary' | 'Structured', subscriber: object = {}): Target => {
  const target = targetOf(subscriptionOf({}, { url: 'http://billing.example/events', contentMode, ...subscriber }))
  if ('problem' in target) throw new Error(target.problem.message)
  return target
}

export const requestOf = (message: Message, contentMode: 'Binary' | 'Structured' = 'Binary', attempt = 1): Request =>
  toRequest(eventOf(message), targetFor(contentMode), attempt)

export const headersOf = ({ headers }: Request): Record<string, string> =>
  Object.fromEntries(Array.from({ length: headers.length / 2 }, (_, at) => headers.slice(at * 2, at * 2 + 2)))
