import type { GetMessage } from 'amqplib'
import type { Subscription } from '../../../src/api/kinds/subscription.ts'

/** The exchange of the Topic `orders` in namespace `shop`. */
export const exchange = 'shop.orders'

/** One request that a subscriber received. */
export type Delivery = {
  /** In ms since 1970, by the clock of whoever asks. */
  readonly at: number
  /** The id of the order's event. */
  readonly id: string
  readonly webhookId: string
  /** What it was answered; nothing while it is held, or when the connection broke before. */
  readonly status?: number
}

export type Answer = {
  /** `hang` holds requests until there is another answer. */
  readonly status: number | 'hang'
  readonly body?: string
  /** The ids that are answered so, all others 204; all of them when left out. */
  readonly only?: readonly string[]
}

export type Subscriber = {
  /** Every request so far, in the order in which they came. */
  received(): Promise<readonly Delivery[]>
  /** How requests are answered from now on; 204 at first. */
  answer(answer: Answer): Promise<void>
  /** From then on connections are refused. */
  switchOff(): Promise<void>
  switchOn(): Promise<void>
}

/** Everything that takes part in the stories, wherever it runs: three subscribers, a broker, and Waybill. */
export type Shop = {
  readonly mailing: Subscriber
  readonly billing: Subscriber
  readonly shipping: Subscriber
  /** Publishes that many orders; resolves with their ids once the broker has confirmed them. */
  placeOrders(count: number): Promise<string[]>
  /** The id that the next order will have. */
  nextOrder(): string
  /** How many messages a queue holds, on their way or not. */
  held(queue: string): Promise<number>
  /** Looks into a queue as anybody with an AMQP client could; what is there stays there. */
  look(queue: string): Promise<readonly GetMessage[]>
  /** Kills all of Waybill, without a chance to finish anything; says how. */
  killWaybill(): Promise<string>
  /** Resolves once Waybill runs again and all three subscriptions are ready. */
  startWaybill(): Promise<void>
  /** A Subscription with its status. */
  subscription(name: string): Promise<Subscription | undefined>
  /** The table of subscriptions, as a person would ask for it. */
  table(): Promise<string>
}

/** What a subscriber has answered 2xx, by id. */
export const accepted = async ({ received }: Subscriber): Promise<string[]> =>
  (await received()).filter(({ status = 0 }) => status >= 200 && status < 300).map(({ id }) => id)

export const acceptedAll = async (subscriber: Subscriber, ids: readonly string[]): Promise<boolean> => {
  const done = new Set(await accepted(subscriber))
  return ids.every((id) => done.has(id))
}
