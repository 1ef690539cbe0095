import { type Channel, channel } from 'node:diagnostics_channel'

/**
 * Everything that a process does to the world outside, in the order in which a message and a resource meet it. Right before
 * and right after each, a process may be killed, and what was begun is finished by the next one.
 */
export const effects = [
  'message-taken',
  'request-sent',
  'answer-read',
  'copy-published',
  'copy-confirmed',
  'message-acknowledged',
  'message-requeued',
  'letter-removed',
  'letters-requeued',
  'declare-exchange',
  'declare-queue',
  'bind',
  'unbind',
  'put-policy',
  'delete-policy',
  'queue-plugged',
  'delete-queue',
  'delete-exchange',
  'status-written',
  'finalizer-written',
  'resource-deleted',
  'lease-claimed',
  'lease-released',
] as const

export type Effect = (typeof effects)[number]

/** The two moments of an effect: channels of Node's diagnostics, which cost nothing while nobody listens. */
export type Moments = { readonly before: Channel; readonly after: Channel }

/** The name of a moment, as those who listen know it. */
const momentName = (effect: Effect, when: keyof Moments): string => `waybill:${effect}:${when}`

/** Get it once and keep it: a lookup for each message would not be free. */
export const momentsOf = (effect: Effect): Moments => ({
  before: channel(momentName(effect, 'before')),
  after: channel(momentName(effect, 'after')),
})

/** Does `work`, whose effect is certain when it resolves, between the two moments. */
export const around = async <T>({ before, after }: Moments, work: () => Promise<T>): Promise<T> => {
  before.publish(undefined)
  const result = await work()
  after.publish(undefined)
  return result
}
