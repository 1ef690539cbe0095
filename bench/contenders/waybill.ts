import { fileURLToPath } from 'node:url'
import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { freePort } from '../../test/support/free-port.ts'
import { brokerOf, subscriptionOf, topicOf } from '../../test/support/manifests.ts'
import { eventually } from '../../test/support/wait.ts'
import { runWaybill } from '../../test/support/waybill.ts'
import type { Contender } from '../contender.ts'
import { writeManifests } from '../manifests.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Waybill as it is installed, with operator, statuses and metrics. */
export const waybill: Contender = {
  name: 'waybill',
  async enter({ vhost, sink, folder, inFlight }) {
    const write = (suspend: boolean) =>
      writeManifests(folder, 'race', [
        ...brokerOf(vhost, { resyncInterval: '60s' }),
        topicOf('orders'),
        subscriptionOf('race', 'orders', sink.url, { suspend, delivery: { concurrency: inFlight } }),
      ])
    const manifests = write(true)
    const declaring = await runWaybill(manifests)
    try {
      const isDeclared = async () =>
        isTrue((await declaring.get(subscription, 'race'))?.status?.conditions, 'Programmed')
      await eventually(isDeclared, { timeoutMs: 30_000, everyMs: 100 })
    } finally {
      await declaring.stop()
    }
    write(false)
    const listen = `127.0.0.1:${await freePort()}`
    return {
      exchange: 'shop.orders',
      routingKey: 'order.placed',
      style: 'cloudEvents:',
      command: [process.execPath, main, 'run', '-f', manifests, '--listen', listen],
      scrape: `http://${listen}/metrics`,
    }
  },
}
