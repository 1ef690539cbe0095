import { unmet } from './demands.ts'

const quorum = { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish' }
const net = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'waybill.dlq.shop.s0' }
const back = { 'x-dead-letter-exchange': 'waybill.return', 'x-dead-letter-strategy': 'at-least-once' }
const of = (name: string, args: object) => ({ name, arguments: { 'x-waybill-owner': 'w', ...args } })

test('queues and exchanges that lose nothing meet all demands', () => {
  const queues = [
    ...[of('waybill.sub.shop.s0', { ...quorum, ...net }), of('waybill.retry.shop.s0', { ...quorum, ...net })],
    ...[of('waybill.dlq.shop.s0', quorum), of('waybill.unrouted.shop.orders', quorum), of('waybill.orphans', quorum)],
    of('waybill.delay.1m30s', { ...quorum, ...back, 'x-message-ttl': 90_000 }),
    of('waybill.delay.100ms', { ...quorum, ...back, 'x-message-ttl': 100 }),
    of('shop.q-s0', { 'x-queue-type': 'quorum' }),
  ]
  const exchanges = [
    of('shop.orders', { 'alternate-exchange': 'waybill.unrouted.shop.orders' }),
    of('waybill.return', { 'alternate-exchange': 'waybill.orphans' }),
    ...[of('waybill.orphans', {}), of('waybill.delay.100ms', {}), of('waybill.unrouted.shop.orders', {})],
  ]
  expect(unmet(queues, exchanges)).toEqual([])
})

test.each([
  ['waybill.sub.shop.s0', { ...quorum, ...net, 'x-dead-letter-routing-key': 'waybill.dlq.shop.s1' }],
  ['waybill.sub.shop.s0', { ...net, 'x-queue-type': 'quorum' }],
  ['waybill.dlq.shop.s0', { ...quorum, 'x-overflow': 'drop-head' }],
  ['waybill.dlq.shop.s0', { ...quorum, 'x-queue-type': 'classic' }],
  ['waybill.discarded', { 'x-queue-type': 'quorum' }],
  ['waybill.delay.5s', { ...quorum, ...back, 'x-message-ttl': 500 }],
  ['waybill.delay.5s', { ...quorum, 'x-dead-letter-exchange': 'waybill.return', 'x-message-ttl': 5_000 }],
])('a queue %s with %j loses messages, or is early', (name, args) => {
  expect(unmet([of(name, args)], [])).toHaveLength(1)
})

test.each(['shop.orders', 'waybill.return'])('an exchange %s drops what nobody wants without an alternate', (name) => {
  expect(unmet([], [of(name, {})])).toHaveLength(1)
})
