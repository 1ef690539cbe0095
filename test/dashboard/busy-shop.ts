import { queueOf, subscriptionOf } from '../support/manifests.ts'
import type { Outgoing } from '../support/publish.ts'
import { openShop, type Shop } from '../support/shop.ts'

/** A shop in which mailing succeeds, billing is refused for good and shipping is tried again much later. */
export const openBusyShop = async (cleanUp: AsyncDisposableStack): Promise<Shop> => {
  const shop = cleanUp.use(await openShop())
  const subscriber = await shop.subscriber()
  subscriber.answer(({ path }) => ({ '/billing': 400, '/shipping': 503 })[path] ?? 204)
  const filter = { routingKeys: ['order.placed'] }
  const retry = { schedule: ['10m'] }
  const of = (name: string, spec: object = {}) =>
    subscriptionOf(name, 'orders', `${subscriber.url}${name}`, { filter, ...spec })
  shop.folder.write('shop', [
    ...[of('mailing'), of('billing'), of('shipping', { delivery: { retry } })],
    ...[queueOf('work'), queueOf('lost')],
  ])
  return shop
}

/** A message of this second; nobody in that shop wants `order.unknown`. */
export const event = (routingKey: 'order.placed' | 'order.unknown'): Outgoing => ({
  routingKey,
  body: {},
  options: { timestamp: Math.floor(Date.now() / 1000) },
})
