import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { isTrue } from '../../../src/api/conditions.ts'
import { replay } from '../../../src/api/kinds/replay.ts'
import { subscription } from '../../../src/api/kinds/subscription.ts'
import { freePort } from '../../../test/support/free-port.ts'
import { connectProducer } from '../../../test/support/publish.ts'
import { freshVhost, type Vhost } from '../../../test/support/vhost.ts'
import { eventually } from '../../../test/support/wait.ts'
import { runWaybill, type Waybill } from '../../../test/support/waybill.ts'
import { type LocalSubscriber, localSubscriber } from './local-subscriber.ts'
import { orders } from './orders.ts'
import { ownCopy } from './own-copy.ts'
import { exchange, replayOf, type Shop } from './shop.ts'

const manifests = fileURLToPath(new URL('..', import.meta.url))
const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** The shop on this machine: a virtual host, subscribers on its ports, and `waybill run`. */
export type LaptopShop = Shop & {
  readonly vhost: Vhost
  readonly ports: Readonly<Record<'mailing' | 'billing' | 'shipping', number>>
  /** Where Waybill serves its HTTP API. */
  server(): string
  /** Where its console is; the address logs in once. */
  console(): string
}

/** Everything that it starts is registered with `closing`. */
export const openLaptopShop = async (closing: AsyncDisposableStack, logFile: string): Promise<LaptopShop> => {
  const vhost = await freshVhost('waybill-demo')
  closing.defer(vhost.drop)
  const open = async (preferredPort: number): Promise<LocalSubscriber> => {
    const subscriber = await localSubscriber(preferredPort).catch(() => localSubscriber(0))
    closing.defer(subscriber.switchOff)
    return subscriber
  }
  const mailing = await open(9501)
  // A second demonstration at the same time must not use the fixed ports: the first one releases its ports now and
  // then.
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
    if (running === undefined) throw new Error('Waybill has not been started yet')
    return running
  }
  closing.defer(() => running?.stop())
  const { next, take } = orders()
  return {
    ...{ vhost, ports, mailing, billing, shipping },
    server: () => waybill().server,
    console: () => /"console":"([^"]+)"/.exec(waybill().logs())?.[1] ?? 'not served',
    placeOrders: (count) => producer.publish(exchange, take(count)),
    nextOrder: next,
    held: async (queue) => (await producer.channel.checkQueue(queue)).messageCount,
    async look(queue) {
      const visitor = await connectProducer(vhost.amqpUrl)
      return visitor.look(queue).finally(visitor.close)
    },
    async killWaybill() {
      await waybill().kill('SIGKILL')
      return 'Waybill killed with kill -9'
    },
    async startWaybill() {
      const port = alone ? await freePort(9402) : 0
      const args = ['--resolve', '*.shop.svc=127.0.0.1']
      const dataListen = `127.0.0.1:${alone ? await freePort(9403) : 0}`
      const env = { XDG_STATE_HOME: dirname(logFile) }
      running = await runWaybill(folder, { listen: `127.0.0.1:${port}`, dataListen, logFile, args, env })
      await eventually(() => allReady(waybill()), { timeoutMs: 20_000, everyMs: 100 })
    },
    subscription: (name) => waybill().get(subscription, `shop/${name}`),
    replay: async (name, spec) => writeFileSync(join(folder, 'replay.yaml'), stringify(replayOf(name, spec))),
    replayed: (name) => waybill().get(replay, `shop/${name}`),
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
