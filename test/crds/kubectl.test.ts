import { kinds } from '../../src/api/kinds/kinds.ts'
import { apiVersion, group, type Kind, version } from '../../src/api/resource.ts'
import { apiServer, describeWithApiServer, kubectl, namespace } from '../support/api-server.ts'
import { request } from '../support/kubernetes/request.ts'
import type { TestNamespace } from '../support/kubernetes/test-namespace.ts'
import { brokerOf, deadLetterPolicyOf, jobOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'

const condition = (type: string, status: string, reason: string) => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime: '2025-01-01T00:00:00Z',
})
const ready = condition('Ready', 'True', 'Ready')
const vhost = { name: 'events', secret: { connection_string: '', management_uri: '' } }

/** One resource of each kind with a status, and its expected row: in plain output and with `-o wide`. */
const shown: readonly [string, object, object, RegExp, RegExp][] = [
  [
    'broker',
    brokerOf(vhost as never)[1] as object,
    { version: '4.3.6', attached: { subscriptions: 7 }, delayed: 3, conditions: [ready] },
    /NAME +READY +VERSION +SUBSCRIPTIONS +DELAYED +AGE\nbroker\S+\/rabbitmq +True +4\.3\.6 +7 +3 +\d+s/,
    /VHOST +REASON +AGE +MESSAGE\n.* events +Ready +\d+s/,
  ],
  [
    'topic',
    topicOf('orders'),
    { exchange: 'shop.orders', subscriptions: 2, unrouted: 0, conditions: [ready] },
    /NAME +READY +EXCHANGE +SUBSCRIPTIONS +UNROUTED +AGE\ntopic\S+\/orders +True +shop\.orders +2 +0 +\d+s/,
    /BROKER +REASON +AGE +MESSAGE\n.* rabbitmq +Ready +\d+s/,
  ],
  [
    'queue',
    queueOf('work'),
    { queue: 'shop.work', messages: 12, policy: 'ops', deadLetters: { count: 3 }, conditions: [ready] },
    /NAME +READY +QUEUE +MESSAGES +DEAD +AGE\nqueue\S+\/work +True +shop\.work +12 +3 +\d+s/,
    /POLICY +REASON +AGE +MESSAGE\n.* ops +Ready +\d+s/,
  ],
  [
    'subscription',
    subscriptionOf('billing', 'orders', 'http://billing/'),
    {
      queue: 'waybill.sub.shop.billing',
      backlog: { ready: 5 },
      deadLetters: { count: 1 },
      conditions: [
        condition('Ready', 'False', 'NotDelivering'),
        condition('Delivering', 'False', 'AllAttemptsFailing'),
      ],
    },
    /NAME +READY +DELIVERING +BACKLOG +DEAD +TOPIC +AGE\nsubscription\S+\/billing +False +False +5 +1 +orders +\d+s/,
    /REASON +URL +SERVICE +QUEUE +AGE +MESSAGE\n.* NotDelivering +http:\/\/billing\/ +waybill\.sub\.shop\.billing +\d+s/,
  ],
  [
    'deadletterpolicy',
    deadLetterPolicyOf('keep', { retention: { maxLength: 9, maxAge: '48h' }, default: true }),
    { subscriptions: 4, conditions: [ready] },
    /NAME +READY +SUBSCRIPTIONS +DEFAULT +AGE\ndeadletterpolicy\S+\/keep +True +4 +true +\d+s/,
    /MAX-LENGTH +MAX-AGE +AGE\n.* 9 +48h +\d+s/,
  ],
  [
    'replay',
    jobOf('Replay', 'billing', { requestedBy: 'alice' }, 'again'),
    { matched: 9, delivered: 6, failed: 2, left: 1, conditions: [condition('Progressing', 'True', 'Progressing')] },
    /NAME +COMPLETE +FAILED +MATCHED +DONE +FAILED-AGAIN +LEFT +SUBSCRIPTION +AGE\nreplay\S+\/again +9 +6 +2 +1 +billing +\d+s/,
    /REASON +REQUESTED-BY +AGE +MESSAGE\n.* Progressing +alice +\d+s/,
  ],
  [
    'discard',
    jobOf('Discard', 'billing', { reason: 'of a test' }, 'away'),
    { matched: 3, delivered: 3, failed: 0, left: 0, conditions: [condition('Complete', 'True', 'Completed')] },
    /NAME +COMPLETE +FAILED +MATCHED +DONE +FAILED-AGAIN +LEFT +SUBSCRIPTION +AGE\ndiscard\S+\/away +True +3 +3 +0 +0 +billing +\d+s/,
    /REASON +REQUESTED-BY +AGE +MESSAGE/,
  ],
]

describeWithApiServer('kubectl', () => {
  let own: TestNamespace
  beforeAll(async () => {
    own = await namespace()
    await own.apply(shown.map(([, manifest]) => manifest))
    for (const [type, manifest, status] of shown) {
      const { name } = (manifest as { metadata: { name: string } }).metadata
      const patch = JSON.stringify({ status })
      await own.kubectl(['patch', type, name, '--subresource=status', '--type=merge', '-p', patch])
    }
  })
  afterAll(() => own.drop())

  test.each([[['--server-side', '--force-conflicts', '--warnings-as-errors']], [[]]])(
    'kubectl apply installs crds/ without a warning, with options %j',
    async (options) => {
      const applied = await kubectl(['apply', '-f', 'crds', '--dry-run=server', ...options])
      expect(applied.trim().split('\n')).toHaveLength(kinds.length)
    },
  )

  test('kubectl get waybill lists every kind with its columns', async () => {
    const [all, wide] = await Promise.all([
      own.kubectl(['get', 'waybill']),
      own.kubectl(['get', 'waybill', '-o', 'wide']),
    ])
    for (const [, , , row, more] of shown) {
      expect(all).toMatch(row)
      expect(wide).toMatch(more)
    }
    expect(await kubectl(['get', 'waybill', '-A'])).toMatch(new RegExp(`\n${own.name} +subscription`))
  })

  test.each(kinds.map((kind): [string, Kind] => [kind.shortName, kind]))(
    'kubectl get accepts the short name %s',
    async (shortName, { singular, plural }) => {
      const [short, long] = await Promise.all(
        [shortName, plural].map((name) => own.kubectl(['get', name, '-o', 'name'])),
      )
      expect(short).toMatch(new RegExp(`^${singular}\\.${group}/`))
      expect(short).toBe(long)
    },
  )

  test('kubectl explain prints the meaning, the rules and the default of a field', async () => {
    const explained = (await kubectl(['explain', 'subscription.spec.delivery'])).replace(/\s+/g, ' ')
    for (const text of [
      'concurrency <integer> How many messages each replica of the dispatcher delivers at the same time. From 1 to 1000. Default: 10.',
      'retry <Object> What happens after a failed attempt.',
      'Must be a duration such as 30s or 5m, from 1ms to 25m: RabbitMQ requeues a message after 30m',
      'onGone <string> enum: Suspend, DeadLetter What the answer 410 Gone means.',
    ]) {
      expect(explained).toContain(text)
    }
  })

  test('kubectl explain has a description for every field', async () => {
    const schemas = await eventually(async () => {
      const { body } = await request(apiServer(), 'GET', `/openapi/v3/apis/${apiVersion}`)
      return (body as { components?: { schemas: Record<string, Node> } }).components?.schemas
    })
    const silent = kinds.flatMap(({ kind }) => {
      const root = schemas[`${group.split('.').toReversed().join('.')}.${version}.${kind}`]
      const { spec, status } = root?.properties ?? {}
      return spec && status ? undescribed({ properties: { spec, status } }, kind) : [`${kind} is missing`]
    })
    expect(silent).toEqual([])
  })
})

type Node = { description?: string; properties?: Record<string, Node>; items?: Node }

const undescribed = ({ properties = {}, items }: Node, path: string): string[] => [
  ...Object.entries(properties).flatMap(([name, property]) => [
    ...(property.description?.endsWith('.') ? [] : [`${path}.${name}`]),
    ...undescribed(property, `${path}.${name}`),
  ]),
  ...(items ? undescribed(items, `${path}[]`) : []),
]
