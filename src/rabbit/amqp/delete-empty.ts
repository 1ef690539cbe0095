import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { around, momentsOf } from '../../async/effects.ts'
import { isPlug as isAnyPlug } from '../../delivery/message/history.ts'
import { waybillHeaders } from '../../delivery/message/waybill-headers.ts'
import { BrokerError } from '../broker-error.ts'
import { Payload } from './client/arguments.ts'
import type { Channel, Gotten } from './client/channel.ts'
import { EndedError } from './client/ended.ts'
import { acknowledge, checkQueue, deleteQueue, rejectUpTo, selectConfirms } from './client/operations.ts'
import { messageOf } from './deliveries/message-of.ts'

const plugged = momentsOf('queue-plugged')

/** A sealed queue takes as many as put it over its limit of one. */
const plugs = 2
/** A publisher that has reached the queue before is told by then that it is full. */
const toldWithinMs = 100
/** A message that goes back is there again after some milliseconds. */
const lookEveryMs = 10
const mostLooks = 100
/** Plugs are behind what others have put in before them. Nothing waits there but what came within seconds. */
const mostLookedAt = 200

const persistent = 2
const headersAndDeliveryMode = 0x3000

/**
 * Deletes a quorum queue that is sealed, once it is proved to be empty. RabbitMQ has no "delete if empty" for these, and even a
 * limit of 0 lets the first message in. So two messages of ours plug it: it is over its limit then, and takes nothing from
 * anybody. The leader of the queue says with the first of them how many are behind it; that one goes back, and only the two are
 * there when the queue is deleted.
 *
 * `remove` deletes it, on another channel. @throws {BrokerError} `not-empty`; EndedError; what `remove` throws. The plugs are taken
 * out again then.
 */
export const deleteEmpty = async (channel: Channel, queue: string, remove: () => Promise<void>): Promise<void> => {
  if (!(await isThere(channel, queue))) return
  // Who may not read would leave the plugs behind.
  await refuseIfFilled(channel, queue)
  await selectConfirms(channel)
  const token = randomUUID()
  const taken = await around(plugged, () => plug(channel, queue, token))
  await delay(toldWithinMs)
  const first = taken < plugs ? undefined : await channel.get(queue)
  if (first === undefined || !isPlug(first, token) || first.remaining !== plugs - 1) {
    await unplug(channel, queue, token, { first, taken })
    throw notEmpty(queue)
  }
  rejectUpTo(channel, first.deliveryTag, true)
  try {
    if (!(await holdsOnlyPlugs(channel, queue))) throw notEmpty(queue)
    await remove()
  } catch (error) {
    await unplug(channel, queue, token, { first: undefined, taken })
    throw error
  }
}

/**
 * Whether the first plug is back, and nothing has come while it was gone. A count of 0 may be untrue, that of the plugs may not.
 * https://github.com/rabbitmq/rabbitmq-server/issues/10543
 */
const holdsOnlyPlugs = async (channel: Channel, queue: string): Promise<boolean> => {
  for (let looks = 0; looks < mostLooks; looks += 1) {
    const { messages } = await checkQueue(channel, queue)
    if (messages >= plugs) return messages === plugs
    await delay(lookEveryMs)
  }
  return false
}

/** Deletes a queue of another type: the broker itself refuses where it holds messages. @throws {BrokerError} `not-empty` */
export const deleteClassic = async (channel: Channel, queue: string): Promise<void> => {
  try {
    await deleteQueue(channel, queue, true)
  } catch (error) {
    if (error instanceof EndedError && error.refusal === 406) throw notEmpty(queue)
    throw error
  }
}

/** Deletes a level of the delay ladder: what is in it leaves by itself, and nobody publishes to it by its name. */
export const deleteDelay = async (channel: Channel, queue: string, remove: () => Promise<void>): Promise<void> => {
  if (!(await isThere(channel, queue))) return
  await refuseIfFilled(channel, queue)
  await remove()
}

/**
 * Takes out the plugs of an operator that was killed.
 *
 * @throws {BrokerError} `not-empty` where another message is ready
 */
const refuseIfFilled = async (channel: Channel, queue: string): Promise<void> => {
  for (let found = await channel.get(queue); found; found = await channel.get(queue)) {
    if (!isAnyPlug(messageOf(found))) {
      rejectUpTo(channel, found.deliveryTag, true)
      throw notEmpty(queue)
    }
    acknowledge(channel, found.deliveryTag, false)
  }
}

const notEmpty = (queue: string): BrokerError => new BrokerError('not-empty', `Queue ${queue} holds messages`)

const isThere = async (channel: Channel, queue: string): Promise<boolean> => {
  try {
    await checkQueue(channel, queue)
    return true
  } catch (error) {
    if (error instanceof EndedError && error.refusal === 404) return false
    throw error
  }
}

/** How many plugs the queue took. */
const plug = async (channel: Channel, queue: string, token: string): Promise<number> => {
  const message = { exchange: '', routingKey: queue, properties: propertiesOf(token), body: Buffer.from(token) }
  const publish = (): Promise<boolean> =>
    new Promise((resolve) => {
      channel.publish({ ...message, mandatory: false }, (outcome) => resolve(outcome === 'confirmed'))
    })
  let taken = 0
  while (taken < plugs && (await publish())) taken += 1
  return taken
}

const propertiesOf = (token: string): Buffer => {
  const { bytes } = new Payload(headersAndDeliveryMode).table({ [waybillHeaders.plug]: token }).octet(persistent)
  // The flags are a short.
  return bytes.subarray(2)
}

const isPlug = ({ content }: Gotten, token: string): boolean => content.equals(Buffer.from(token))

/** Takes the plugs out; what others have put in goes back, in its order. */
const unplug = async (
  channel: Channel,
  queue: string,
  token: string,
  { first, taken }: { readonly first: Gotten | undefined; readonly taken: number },
): Promise<void> => {
  let [left, last] = [taken, 0]
  let next = first ?? (taken > 0 ? await channel.get(queue) : undefined)
  for (let seen = 0; next !== undefined && seen < mostLookedAt; seen += 1) {
    if (isPlug(next, token)) {
      acknowledge(channel, next.deliveryTag, false)
      left -= 1
    } else {
      last = next.deliveryTag
    }
    next = left > 0 ? await channel.get(queue) : undefined
  }
  const unsettled = next?.deliveryTag ?? last
  if (unsettled > 0) rejectUpTo(channel, unsettled, true)
}
