import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { brokerOf, type Manifest, type ManifestFolder, manifestFolder, topicOf } from './manifests.ts'
import { connectProducer, type Producer } from './publish.ts'
import { type Subscriber, startSubscriber } from './subscriber.ts'
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts'
import { freshVhost, type Vhost } from './vhost.ts'
import { eventually } from './wait.ts'
import { type RunOptions, runWaybill, type Waybill } from './waybill.ts'

/** A virtual host with the Topic `shop/orders`, and `waybill run` as a process of its own. */
export type Shop = {
  readonly vhost: Vhost
  readonly folder: ManifestFolder
  /** Publishes to the broker directly, not through the proxy. */
  readonly producer: Producer
  /** Between Waybill and the broker's AMQP port. */
  readonly proxy: TcpProxy
  /** Broker and Secret, as in the file `broker`. */
  readonly broker: readonly Manifest[]
  subscriber(): Promise<Subscriber>
  /** Starts Waybill; it is stopped with the shop. */
  run(options?: RunOptions): Promise<Waybill>
  /** Waits until Subscriptions of `shop` are Ready. */
  ready(waybill: Waybill, ...names: string[]): Promise<void>
  /** Publishes one message for each body to the Topic; returns the message ids. */
  publish(bodies: readonly (string | object)[]): Promise<string[]>
  [Symbol.asyncDispose](): Promise<void>
}

export const openShop = async (brokerSpec: object = {}): Promise<Shop> => {
  const cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const folder = cleanUp.adopt(manifestFolder(), ({ drop }) => drop())
  const producer = cleanUp.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  const { hostname, port } = vhost.endpoint.amqp
  const proxy = cleanUp.adopt(await tcpProxy({ hostname, port }), ({ close }) => close())
  const through = new URL(vhost.secret.connection_string)
  through.hostname = '127.0.0.1'
  through.port = String(proxy.port)
  const secret = { ...vhost.secret, connection_string: through.href }
  const broker = brokerOf({ ...vhost, secret }, brokerSpec)
  folder.write('broker', [...broker, topicOf('orders')])
  return {
    ...{ vhost, folder, producer, proxy, broker },
    subscriber: async () => cleanUp.adopt(await startSubscriber(), ({ close }) => close()),
    run: async (options) => cleanUp.adopt(await runWaybill(folder.path, options), ({ stop }) => stop()),
    ready: async (waybill, ...names) => {
      await eventually(
        async () => {
          const all = await waybill.list(subscription)
          const isReady = (name: string) =>
            isTrue(all.find(({ metadata }) => metadata.name === name)?.status?.conditions, 'Ready')
          return names.every(isReady)
        },
        { timeoutMs: 20_000, everyMs: 25 },
      )
    },
    publish: (bodies) =>
      producer.publish(
        'shop.orders',
        bodies.map((body) => ({ routingKey: 'order.placed', body })),
      ),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}
