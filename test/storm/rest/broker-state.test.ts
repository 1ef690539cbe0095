import type { Desired } from '../../../src/topology/desired.ts'
import { compare, readState, wantedState } from './broker-state.ts'

const owned = <T>(want: T) => ({ owner: 'waybill:Subscription/shop/s0', want, adopt: false })
const queue = { name: 'waybill.sub.shop.s0', durable: true, arguments: { 'x-queue-type': 'quorum', 'x-overflow': 'r' } }
const exchange = { name: 'shop.marked', type: 'headers', arguments: { 'alternate-exchange': 'x' } } as const
const binding = { source: 'shop.marked', destination: queue.name, routingKey: '', arguments: { mark: 'red' } }
const policy = {
  name: 'p',
  pattern: '^waybill\\.sub',
  applyTo: 'queues',
  priority: 1,
  definition: { 'max-length': 5 },
} as const
const wanted = {
  ...{ queues: [owned(queue)], exchanges: [owned(exchange)], bindings: [owned(binding)], policies: [owned(policy)] },
} as unknown as Desired

/** The answers of the management API when all is as it should be, with the broker's own objects. */
const answers = {
  queues: [{ ...queue, arguments: { 'x-overflow': 'r', 'x-queue-type': 'quorum' }, auto_delete: false, policy: 'p' }],
  exchanges: [
    { ...{ name: '', type: 'direct', durable: true, auto_delete: false, arguments: {} } },
    { ...{ name: 'amq.topic', type: 'topic', durable: true, auto_delete: false, arguments: {} } },
    { ...exchange, durable: true, auto_delete: false },
  ],
  bindings: [
    { source: '', destination: queue.name, routing_key: queue.name, arguments: {} },
    { ...binding, routing_key: '' },
  ],
  policies: [{ ...policy, 'apply-to': 'queues' }],
}
type Answers = { [K in keyof typeof answers]: readonly object[] }
const differences = async (more: Partial<Answers>): Promise<string[]> => {
  const all: Answers = { ...answers, ...more }
  const manage = async (_: string, path: string) => all[path.split('/')[1] as keyof Answers]
  return compare(wantedState(wanted), await readState({ name: 'v', manage }))
}
const [q, e, b, p] = [answers.queues[0]!, answers.exchanges[2]!, answers.bindings[1]!, answers.policies[0]!]

test('a broker that is as it should be does not differ', async () => {
  expect(await differences({})).toEqual([])
})

test.each<[string, Partial<Answers>, number]>([
  ['a queue with another argument', { queues: [{ ...q, arguments: { 'x-queue-type': 'classic' } }] }, 2],
  ['a queue that is not durable', { queues: [{ ...q, durable: false }] }, 2],
  ['a queue under no policy', { queues: [{ ...q, policy: null }] }, 2],
  ['a queue that is left over', { queues: [q, { ...q, name: 'waybill.dlq.shop.gone' }] }, 2],
  ['a queue with a name of nobody', { queues: [q, { ...q, name: 'other' }] }, 2],
  ['a queue that is missing', { queues: [] }, 2],
  ['an exchange of another type', { exchanges: [{ ...e, type: 'topic' }] }, 2],
  ['an exchange without its alternate', { exchanges: [{ ...e, arguments: {} }] }, 2],
  ['a binding with other arguments', { bindings: [{ ...b, arguments: { mark: 'green' } }] }, 2],
  ['a binding that is left over', { bindings: [b, { ...b, routing_key: 'x' }] }, 1],
  ['a policy with another definition', { policies: [{ ...p, definition: {} }] }, 2],
  ['a policy with another pattern', { policies: [{ ...p, pattern: '.*' }] }, 2],
  ['a policy with another priority', { policies: [{ ...p, priority: 0 }] }, 2],
])('%s is found', async (_, more, count) => {
  expect(await differences(more)).toHaveLength(count)
})
