import { orders } from '../examples/omega/demo/orders.ts'
import { replayOf, type Shop } from '../examples/omega/demo/shop.ts'
import type { Replay } from '../src/api/kinds/replay.ts'
import type { Subscription } from '../src/api/kinds/subscription.ts'
import type { ApiProxy } from './api-proxy.ts'
import type { BrokerAccess } from './broker-access.ts'
import type { Cluster } from './cluster.ts'
import { clusterSubscriber } from './cluster-subscriber.ts'
import { podsOfWaybill, system } from './names.ts'
import { waybillUp } from './waybill-pods.ts'

/** The shop of `examples/omega` as it runs in the cluster. */
export const clusterShop = (cluster: Cluster, proxy: ApiProxy, broker: BrokerAccess): Shop => {
  const { next, take } = orders()
  return {
    mailing: clusterSubscriber(cluster, proxy, 'mailing', 9501),
    billing: clusterSubscriber(cluster, proxy, 'billing', 9502),
    shipping: clusterSubscriber(cluster, proxy, 'shipping', 9503),
    placeOrders: (count) => broker.publish(take(count)),
    nextOrder: next,
    held: async (queue) => (await broker.queues())[queue] ?? 0,
    look: broker.look,
    async killWaybill() {
      const force = ['--force', '--grace-period=0']
      const deleted = await cluster.kubectl([
        '-n',
        system,
        'delete',
        'pods',
        '-l',
        podsOfWaybill,
        '-o',
        'name',
        ...force,
      ])
      return `All ${deleted.trim().split('\n').length} Waybill pods force-deleted`
    },
    startWaybill: () => waybillUp(cluster),
    subscription: (name) => proxy.get<Subscription>(`/apis/waybill.dev/v1alpha1/namespaces/shop/subscriptions/${name}`),
    async replay(name, spec) {
      await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(replayOf(name, spec)) })
    },
    replayed: (name) => proxy.get<Replay>(`/apis/waybill.dev/v1alpha1/namespaces/shop/replays/${name}`),
    table: () => cluster.kubectl(['-n', 'shop', 'get', 'subscriptions']),
  }
}
