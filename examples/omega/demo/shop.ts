import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isTrue } from '../../../src/api/conditions.ts'
import { subscription } from '../../../src/api/subscription.ts'
import { freePort } from '../../../test/support/free-port.ts'
import { connectProducer, type Producer } from '../../../test/support/publish.ts'
import { type Received, type Subscriber, startSubscriber } from '../../../test/support/subscriber.ts'
import { freshVhost, type Vhost } from '../../../test/support/vhost.ts'
import { eventually } from '../../../test/support/wait.ts'
import { runWaybill, type Waybill } from '../../../test/support/waybill.ts'
import { ownCopy } from './own-copy.ts'

const manifests = fileURLToPath(new URL('..', import.meta.url))
const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** The exchange of the Topic `orders` in namespace `shop`. */
const exchange = 'shop.orders'

/** Everything that takes part: a virtual host, three subscribers, a producer, and Waybill. */
export type Shop = {
  readonly vhost: Vhost
  readonly mailing: Subscriber
  readonly billing: Subscriber
  readonly shipping: Subscriber
  readonly producer: Producer
  waybill(): Waybill
  /** Starts Waybill, again after it was killed, and resolves once all three subscriptions are ready. */
  startWaybill(): Promise<void>
  /** Publishes that many orders; resolves with their ids once the broker has confirmed them. */
  placeOrders(count: number, currency?: string): Promise<string[]>
  /** The id that the next order will have. */
  nextOrder(): string
  /** The table that `waybill get subscriptions` prints. */
  table(): Promise<string>
}

export const openShop = async (closing: AsyncDisposableStack, logFile: string): Promise<Shop> => {
  const vhost = await freshVhost('waybill-demo')
  closing.defer(vhost.drop)
  const open = async (preferredPort: number): Promise<Subscriber> => {
    const subscriber = await startSubscriber(preferredPort).catch(() => startSubscriber())
    closing.defer(subscriber.close)
    return subscriber
  }
  const mailing = await open(9501)
  // A second demonstration at the same time keeps off the ports of the first, which are not all taken all the time.
  const alone = mailing.port === 9501
  const billing = await open(alone ? 9502 : 0)
  const shipping = await open(alone ? 9503 : 0)
  const ports = { mailing: mailing.port, billing: billing.port, shipping: shipping.port }
  const folder = ownCopy(manifests, vhost, ports)
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const producer = await connectProducer(vhost.amqpUrl)
  closing.defer(producer.close)

  let running: Waybill | undefined
  const waybill = (): Waybill => {
    if (running === undefined) throw new Error('Waybill is not started yet')
    return running
  }
  closing.defer(() => running?.stop())
  let orders = 1_000
  return {
    vhost,
    mailing,
    billing,
    shipping,
    producer,
    waybill,
    async startWaybill() {
      const port = alone ? await freePort(9402) : 0
      running = await runWaybill(folder, { listen: `127.0.0.1:${port}`, logFile })
      await eventually(() => allReady(waybill()), { timeoutMs: 20_000, everyMs: 100 })
    },
    placeOrders(count, currency = 'EUR') {
      const messages = Array.from({ length: count }, () => ({
        routingKey: 'order.placed',
        body: { order: ++orders, currency },
        options: { messageId: `order-${orders}`, type: 'order.placed' },
      }))
      return producer.publish(exchange, messages)
    },
    nextOrder: () => `order-${orders + 1}`,
    async table() {
      const args = [main, 'get', 'subscriptions', '--server', waybill().server]
      return (await promisify(execFile)(process.execPath, args)).stdout
    },
  }
}

const allReady = async (waybill: Waybill): Promise<boolean> => {
  const subscriptions = await waybill.list(subscription)
  return subscriptions.length === 3 && subscriptions.every(({ status }) => isTrue(status?.conditions, 'Ready'))
}

/** The id of the order's event. */
export const idOf = ({ headers }: Received): string => String(headers['ce-id'])

/** What a subscriber has answered 2xx, by id. */
export const accepted = ({ received }: Subscriber): string[] =>
  received.filter(({ status = 0 }) => status >= 200 && status < 300).map(idOf)

export const acceptedAll = (subscriber: Subscriber, ids: readonly string[]): boolean => {
  const done = new Set(accepted(subscriber))
  return ids.every((id) => done.has(id))
}
