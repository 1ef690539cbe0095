import { dialectOf, isNeverReached } from '../dialect.ts'
import { queueOf } from '../names.ts'
import type { AttachedSubscription } from '../references.ts'
import type { Observed, Queue } from '../topology.ts'
import { policiesOn } from './in-force.ts'

/** From 4.0, where nothing sets one. https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling */
const defaultLimit = 20

/**
 * Why messages may be lost on the queue that a Subscription pushes from, and what to do; `undefined` where they may not. Waybill
 * did not shape an adopted queue, and somebody's policy may be in force instead of its own.
 */
export const unsafetyOf = (observed: Observed): ((entry: AttachedSubscription) => string | undefined) => {
  const queues = new Map(observed.queues.map((queue) => [queue.name, queue]))
  const inForce = policiesOn(observed)
  return ({ source }) => {
    const queue = 'queue' in source ? queues.get(queueOf(source.queue)) : undefined
    if (queue === undefined) return undefined
    const type = queue.arguments['x-queue-type']
    if (type === 'stream') return `queue ${queue.name} is a stream, from which no message can be taken: use a queue`
    if (type !== 'quorum') return undefined
    return limitProblem(observed, queue, inForce(queue.name)['delivery-limit'])
  }
}

const limitProblem = (
  { states, version }: Observed,
  { name, arguments: args }: Queue,
  byPolicy: unknown,
): string | undefined => {
  const own = args['x-delivery-limit']
  const limits = [own, byPolicy].filter((limit) => typeof limit === 'number')
  if (limits.length === 0) {
    if (dialectOf(version).deliveryLimit === undefined) return undefined
    return `${lossOn(name, defaultLimit)} by the default of this broker: no policy of Waybill's is in force on it yet`
  }
  // https://www.rabbitmq.com/docs/quorum-queues#position-and-policies
  const limit = limits.some((one) => one < 0) ? Math.max(...limits) : Math.min(...limits)
  if (isNeverReached(limit)) return undefined
  if (limit === own) {
    return `${lossOn(name, limit)} by its argument x-delivery-limit: declare it anew without that argument`
  }
  const state = states.get(name)
  const policy = state?.operatorPolicy ? `operator policy ${state.operatorPolicy}` : `policy ${state?.policy}`
  return `${lossOn(name, limit)} by ${policy}: take the delivery-limit out of it`
}

const lossOn = (name: string, limit: number): string =>
  `queue ${name} gives up a message that was requeued ${limit} times,`
