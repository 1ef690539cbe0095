import type { GetMessage } from 'amqplib'
import type { Replay } from '../../../src/api/kinds/replay.ts'
import type { Subscription } from '../../../src/api/kinds/subscription.ts'

/** The exchange of the Topic `orders` in namespace `shop`. */
export const exchange = 'shop.orders'

/** One request that a subscriber received. */
export type Delivery = {
  /** In ms since 1970, by the clock of the machine that runs the story. */
  readonly at: number
  /** The id of the order's event. */
  readonly id: string
  readonly webhookId: string
  /** The status of the answer; absent while the request is held, or if the connection broke before. */
  readonly status?: number
}

export type Answer = {
  /** `hang` holds requests until the next change. */
  readonly status: number | 'hang'
  readonly body?: string
  /** Ids of the events that are answered this way; the others get 204. All events when left out. */
  readonly only?: readonly string[]
}

export type Subscriber = {
  /** Every request so far, in order of arrival. */
  received(): Promise<readonly Delivery[]>
  /** How requests are answered from now on; 204 at first. */
  answer(answer: Answer): Promise<void>
  /** Refuses connections until `switchOn`. */
  switchOff(): Promise<void>
  switchOn(): Promise<void>
}

/** What a story works with, on a laptop or in a cluster: three subscribers, a broker, and Waybill. */
export type Shop = {
  readonly mailing: Subscriber
  readonly billing: Subscriber
  readonly shipping: Subscriber
  /** Publishes that many orders; resolves with their ids once the broker has confirmed them. */
  placeOrders(count: number): Promise<string[]>
  /** The id that the next order will have. */
  nextOrder(): string
  /** How many messages a queue contains. */
  held(queue: string): Promise<number>
  /** Reads the messages of a queue with an AMQP client, and leaves them there. */
  look(queue: string): Promise<readonly GetMessage[]>
  /** Kills every process of Waybill without a graceful shutdown; returns what it did, as a sentence. */
  killWaybill(): Promise<string>
  /** Resolves once Waybill runs again and all three subscriptions are ready. */
  startWaybill(): Promise<void>
  /** A Subscription with its status. */
  subscription(name: string): Promise<Subscription | undefined>
  /** Makes a Replay of the dead letters of a Subscription. */
  replay(subscription: string, spec: object): Promise<void>
  /** It with its status. */
  replayed(subscription: string): Promise<Replay | undefined>
  /** The table of subscriptions, as printed by the command line. */
  table(): Promise<string>
}

/** What a subscriber has answered 2xx, by id. */
export const accepted = async ({ received }: Subscriber): Promise<string[]> =>
  (await received()).filter(({ status = 0 }) => status >= 200 && status < 300).map(({ id }) => id)

export const acceptedAll = async (subscriber: Subscriber, ids: readonly string[]): Promise<boolean> => {
  const done = new Set(await accepted(subscriber))
  return ids.every((id) => done.has(id))
}

/** The manifest of a Replay, which is called as its Subscription. */
export const replayOf = (subscription: string, spec: object): object => ({
  apiVersion: 'waybill.dev/v1alpha1',
  kind: 'Replay',
  metadata: { name: subscription, namespace: 'shop' },
  spec: { subscriptionRef: { name: subscription }, ...spec },
})
