import type { BrokerError } from '../../src/rabbit/broker-error.ts'
import { connectManagement, type Management } from '../../src/rabbit/management/management.ts'
import type { Change } from '../../src/topology/change.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

const { signal } = new AbortController()
/** As docs/operations.md has them. */
const enough = {
  configure: '^(waybill|shop)\\.',
  write: '^(amq\\.default$|(waybill|shop)\\.)',
  read: '^(waybill|shop)\\.',
}

let vhost: Vhost
let user: { username: string; password: string }

beforeAll(async () => {
  vhost = await freshVhost()
  user = { username: `${vhost.name}-user`, password: 'secret' }
})
afterAll(async () => {
  await vhost.manage('DELETE', `/users/${user.username}`)
  await vhost.drop()
})

const withRights = async <T>(
  { tags = 'policymaker', ...permissions }: Partial<typeof enough> & { tags?: string },
  work: (management: Management) => Promise<T>,
): Promise<T> => {
  await vhost.manage('PUT', `/users/${user.username}`, { password: user.password, tags })
  await vhost.manage('PUT', `/permissions/${vhost.name}/${user.username}`, { ...enough, ...permissions })
  const management = connectManagement({ ...vhost.endpoint, ...user })
  return work(management).finally(() => management.close())
}
const failure = (done: Promise<unknown>): Promise<string> =>
  done.then(
    () => 'none',
    (error: BrokerError) => `${error.kind}: ${error.message}`,
  )

const policy = {
  name: 'waybill:p',
  pattern: '^shop',
  applyTo: 'all',
  priority: 1,
  definition: { 'max-length': 5 },
} as const
const binding = { source: 'shop.orders', destination: 'waybill.sub', routingKey: 'k', arguments: { a: 1 } }
const declareExchange: Change = {
  do: 'declare-exchange',
  exchange: { name: 'shop.orders', type: 'topic', arguments: { 'alternate-exchange': 'waybill.unrouted' } },
}
const declareQueue: Change = {
  do: 'declare-queue',
  queue: {
    name: 'waybill.sub',
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'waybill.dlq' },
  },
}
const remove: Change = { do: 'delete-queue', queue: 'waybill.sub', only: 'if-empty' }
const life: Change[] = [
  declareExchange,
  declareQueue,
  { do: 'put-policy', policy },
  { do: 'bind', binding },
  { do: 'unbind', binding },
  { do: 'delete-policy', policy: policy.name },
  remove,
  { do: 'delete-exchange', exchange: 'shop.orders' },
]

test('a policymaker with the least rights reads and changes all that the resources need', async () => {
  await vhost.manage('PUT', `/operator-policies/${vhost.name}/cap`, {
    ...{ pattern: '^waybill', 'apply-to': 'queues', definition: { 'max-length': 3 } },
  })
  await withRights({}, async (management) => {
    await management.probe(signal)
    for (const change of life.slice(0, 4)) await management.apply(change, signal)
    const found = await eventually(async () => {
      const { states, ...seen } = await management.observe(signal)
      return states.get('waybill.sub')?.operatorPolicy === 'cap' && { states, ...seen }
    })
    expect(found.version).toMatch(/^\d+\.\d+\.\d+/)
    expect(found.exchanges).toEqual([(declareExchange as { exchange: object }).exchange])
    expect(found.queues).toEqual([(declareQueue as { queue: object }).queue])
    expect(found.bindings).toEqual([binding])
    expect(found.policies).toEqual([policy])
    expect(found.exchangeStates.get('shop.orders')).toEqual({ name: 'shop.orders', policy: policy.name })
    expect(found.states.get('waybill.sub')?.effective).toEqual({ 'max-length': 3 })
    for (const change of life.slice(4)) await management.apply(change, signal)
    expect((await management.observe(signal)).queues).toEqual([])
  })
})

test.each(['', 'management'])('a user with the tags "%s" is told the tag that it needs', async (tags) => {
  const said = await withRights({ tags }, (management) => failure(management.probe(signal)))
  expect(said).toMatch(/^refused: /)
  expect(said).toMatch(/give it the tag policymaker with rabbitmqctl set_user_tags \S+ policymaker/)
})

test('a user without permissions on the virtual host is told so', async () => {
  const said = await withRights({}, async (management) => {
    await vhost.manage('DELETE', `/permissions/${vhost.name}/${user.username}`)
    return failure(management.observe(signal))
  })
  expect(said).toMatch(/^refused: Virtual host \S+ does not exist, or user \S+ has no permissions on it: /)
})

test.each<{ lacks: keyof typeof enough; has: string; change: Change; before?: Change[]; says: RegExp }>([
  {
    lacks: 'configure',
    has: '^waybill',
    change: declareExchange,
    says: /needs the permission configure( and read)? on exchange shop\.orders/,
  },
  {
    lacks: 'configure',
    has: '^shop',
    change: declareQueue,
    says: /needs the permission configure( and read)? on queue waybill\.sub/,
  },
  {
    lacks: 'write',
    has: '^(waybill|shop)',
    change: declareQueue,
    says: /needs the permission write on exchange amq\.default/,
  },
  {
    lacks: 'read',
    has: '^shop',
    change: declareQueue,
    says: /needs the permission (configure and )?read on queue waybill\.sub/,
  },
  {
    lacks: 'read',
    has: '^waybill',
    change: declareExchange,
    says: /needs the permission (configure and )?read on exchange shop\.orders/,
  },
  {
    lacks: 'write',
    has: '^amq\\.default$',
    change: declareExchange,
    says: /needs the permission write on exchange waybill\.unrouted/,
  },
  {
    ...{ lacks: 'write', has: '^(amq\\.default$|shop)', before: [declareExchange, declareQueue] },
    ...{ change: { do: 'bind', binding }, says: /needs the permission write on queue waybill\.sub/ },
  },
  {
    ...{ lacks: 'read', has: '^waybill', before: [declareExchange, declareQueue] },
    ...{ change: { do: 'bind', binding }, says: /needs the permission (configure and )?read on exchange shop\.orders/ },
  },
  {
    lacks: 'read',
    has: '^shop',
    before: [declareQueue],
    change: remove,
    says: /needs the permission (configure and )?read on queue waybill\.sub/,
  },
  {
    lacks: 'configure',
    has: '^shop',
    before: [declareQueue],
    change: remove,
    says: /needs the permission configure( and read)? on queue waybill\.sub/,
  },
])(
  'without $lacks ($has) $change.do is refused with the permission that is missing',
  async ({ lacks, has, before = [], change, says }) => {
    const all = connectManagement(vhost.endpoint)
    try {
      for (const one of [...life.toReversed().slice(0, 2), ...before]) await all.apply(one, signal)
      const said = await withRights({ [lacks]: has }, (management) => failure(management.apply(change, signal)))
      expect(said).toMatch(/^refused: /)
      expect(said).toMatch(says)
    } finally {
      await all.close()
    }
  },
)
