import { findingText } from '../../src/store/directory/finding.ts'
import { parse } from '../../src/store/directory/parse.ts'
import { topic } from './manifests.ts'

const findingsOf = (text: string): string[] => parse('shop.yaml', text).findings.map(findingText)

const subscription = (body: string): string =>
  `apiVersion: waybill.dev/v1alpha1\nkind: Subscription\nmetadata: { name: mail }\nspec:\n  topicRef: { name: orders }\n${body}`
const subscriber = '  subscriber: { url: http://127.0.0.1:8080/ }\n'

describe('a bad manifest gets one error that names file, line, field, value and rule', () => {
  test.each([
    ['not YAML', 'kind: [', 'shop.yaml:1: is not valid YAML: Flow sequence in block collection must be sufficiently'],
    ['a tab', 'a:\n\t- b', 'shop.yaml:2: is not valid YAML: Tabs are not allowed as indentation'],
    ['the same key twice', 'a: 1\na: 2', 'shop.yaml:2: is not valid YAML: Map keys must be unique'],
    ['a circle', 'a: &x\n  b: *x', 'shop.yaml:1: is not valid YAML: Aliases and merges must not form a circle'],
    ['an alias to nothing', 'a: *x', 'shop.yaml:1: is not valid YAML: Unresolved alias'],
    ['a number', '42', 'shop.yaml:1: is not a manifest: it must have apiVersion, kind and metadata'],
    ['no kind', 'apiVersion: v1', 'shop.yaml:1: kind: is required'],
    ['no apiVersion', 'kind: Topic', 'shop.yaml:1: apiVersion: is required: waybill.dev/v1alpha1'],
    [
      'an unknown version',
      topic('orders').replace('v1alpha1', 'v9'),
      'shop.yaml:2: Topic/default/orders: apiVersion: must be waybill.dev/v1alpha1, found "waybill.dev/v9"',
    ],
    [
      'an unknown kind of ours',
      'apiVersion: waybill.dev/v1alpha1\nkind: Topci',
      'shop.yaml:2: kind: must be one of Broker, Topic, Queue, Subscription, DeadLetterPolicy, Replay, Discard, found "Topci"',
    ],
    ['no metadata', 'apiVersion: waybill.dev/v1alpha1\nkind: Topic', 'shop.yaml:1: Topic: metadata.name: is required'],
    ['no name', topic('""'), 'shop.yaml:4: Topic: metadata.name: must be lower-case letters'],
    ['a capital in a name', topic('Orders'), 'shop.yaml:4: Topic: metadata.name: must be lower-case letters'],
    [
      'a number for a name',
      topic('42'),
      'shop.yaml:4: Topic: metadata.name: must be of type string: put it into quotes, found 42',
    ],
    [
      'a dot in a namespace',
      topic('a', undefined, ', namespace: a.b'),
      'shop.yaml:4: Topic: metadata.namespace: must be',
    ],
    [
      'a label that is no text',
      topic('a', undefined, ', labels: { a.b/c: 1 }'),
      'shop.yaml:4: Topic: metadata.labels.a.b/c: must be of type string',
    ],
    [
      'an unknown field of metadata',
      topic('a', undefined, ', nmespace: b'),
      'shop.yaml:4: Topic: metadata.nmespace: is not a field here: use name, namespace, labels, annotations',
    ],
    [
      'an unknown top-level field',
      `${topic('a')}sepc: {}\n`,
      'shop.yaml:6: Topic/default/a: sepc: is not a field here: use apiVersion, kind, metadata, spec',
    ],
    [
      'an unknown field',
      topic('a', 'brokerRef: { name: b }, colour: red'),
      'shop.yaml:5: Topic/default/a: spec.colour: is not a field here: use brokerRef, exchange, ',
    ],
    ['a missing field', topic('a', ''), 'shop.yaml:5: Topic/default/a: spec.brokerRef: is required'],
    ['a missing spec', topic('a').replace(/spec.*/, ''), 'shop.yaml:2: Topic/default/a: spec.brokerRef: is required'],
    [
      'a wrong type',
      topic('a', 'brokerRef: { name: b }, adopt: "yes"'),
      'shop.yaml:5: Topic/default/a: spec.adopt: must be of type boolean, found "yes"',
    ],
    [
      'a wrong word',
      topic('a', 'brokerRef: { name: b }, unrouted: Keep'),
      'shop.yaml:5: Topic/default/a: spec.unrouted: must be one of Park, Drop, found "Keep"',
    ],
    [
      'a duration of parsecs',
      subscription(`${subscriber}  delivery:\n    timeout: 5 parsecs\n`),
      'shop.yaml:8: Subscription/default/mail: spec.delivery.timeout: must be a duration such as 30s or 5m, from 1ms to 25m: RabbitMQ requeues a message after 30m (consumer_timeout), found "5 parsecs"',
    ],
    [
      'a bad entry of a list',
      subscription(`${subscriber}  delivery:\n    retry:\n      schedule:\n        - 1s\n        - 2y\n`),
      'shop.yaml:11: Subscription/default/mail: spec.delivery.retry.schedule[1]: must be a duration such as 30s or 5m, from 100ms to 168h, found "2y"',
    ],
    [
      'a broken rule',
      subscription(`${subscriber}  delivery:\n    timeout: 30m\n`),
      'shop.yaml:8: Subscription/default/mail: spec.delivery.timeout: must be a duration such as 30s or 5m, from 1ms to 25m: RabbitMQ requeues a message after 30m (consumer_timeout), found "30m"',
    ],
    [
      'either or',
      subscription(`${subscriber}  queueRef: { name: q }\n`),
      'shop.yaml:4: Subscription/default/mail: spec: set exactly one of topicRef and queueRef',
    ],
    [
      'a URL with a user',
      subscription('  subscriber: { url: "http://ann:hunter2@127.0.0.1/" }\n'),
      'shop.yaml:6: Subscription/default/mail: spec.subscriber.url: must not contain a user or a password: they would be shown to everybody who can read this resource, found "http://***@127.0.0.1/"',
    ],
    [
      'a URL that is none',
      subscription('  subscriber: { url: "http://127.0.0.1:99999/" }\n'),
      'shop.yaml:6: Subscription/default/mail: spec.subscriber.url: must be a URL such as http://host:8080/path, found "http://127.0.0.1:99999/"',
    ],
    [
      'a dot in the name of a header',
      subscription('  subscriber:\n    url: http://h\n    headers:\n      ok: "1"\n      a.b: 1\n'),
      'shop.yaml:10: Subscription/default/mail: spec.subscriber.headers.a.b: must be of type string, found 1',
    ],
    [
      'a Secret that is not base64',
      'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata:\n  a: aGk=\n  b: "%%"\n',
      'shop.yaml:6: Secret/default/s: data.b: must be base64; plain text goes under stringData',
    ],
    [
      'a number in a Secret',
      'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData:\n  pin: 1234\n',
      'shop.yaml:5: Secret/default/s: stringData.pin: must be of type string: put it into quotes',
    ],
  ])('a manifest with one problem gets one error with its place and rule: %s', (_what, text, expected) => {
    const found = findingsOf(text)
    expect(found).toHaveLength(1)
    expect(found[0]?.slice(0, expected.length)).toBe(expected)
  })
})

test.each([
  'password: "hunter2" x',
  'password: |hunter2\n x',
  'password: *hunter2',
  'password: "\\hunter2',
  '? hunter2 : !hunter2 x',
])('an error about a broken file does not show the password in it: %s', (text) => {
  const found = findingsOf(text)
  expect(found).toHaveLength(1)
  expect(found.join()).not.toContain('hunter')
})

test('several documents, nested Lists, JSON and merges are parsed, and one bad document does not affect the others', () => {
  const list = JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'waybill.dev/v1alpha1',
        kind: 'TopicList',
        items: [
          {
            apiVersion: 'waybill.dev/v1alpha1',
            kind: 'Topic',
            metadata: { name: 'in-list' },
            spec: { brokerRef: { name: 'b' } },
          },
        ],
      },
    ],
  })
  const merged = '\nx: &x { name: main }\n'
  const { items, findings } = parse(
    'a.yaml',
    `# nothing\n---\n${topic('one')}---\n${list}\n---\n{\n---\n${topic('two')}---\n${merged}`,
  )
  expect(items.map(({ id }) => id)).toEqual(['Topic/default/one', 'Topic/default/in-list', 'Topic/default/two'])
  expect(findings).toHaveLength(2)
})

test('a problem inside a List has the line of its item', () => {
  const text =
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n- apiVersion: waybill.dev/v1alpha1\n  kind: Topic\n  metadata: { name: a }\n  spec:\n    brokerRef: {}\n'
  expect(findingsOf(text)).toEqual(['shop.yaml:10: Topic/default/a: spec.brokerRef.name: is required'])
})

test('manifests of other Kubernetes kinds are skipped', () => {
  const { items, findings, skipped } = parse(
    'a.yaml',
    '\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: Whatever_ }\n',
  )
  expect([items, findings]).toEqual([[], []])
  expect(skipped.map(findingText)).toEqual(['a.yaml:2: Skipped Deployment (apps/v1): not a waybill.dev kind'])
})

test('parsing fills in defaults, and stringData takes precedence over data', () => {
  const { items } = parse(
    'a.yaml',
    `${topic('a')}---\n${'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata: { a: aGk=, b: aGk= }\nstringData: { b: there }'}`,
  )
  expect(items.map(({ content }) => content)).toMatchObject([
    { is: 'resource', spec: { brokerRef: { name: 'main' }, exchange: { type: 'Topic' }, unrouted: 'Park' } },
    { is: 'secret', data: { a: Buffer.from('hi'), b: Buffer.from('there') } },
  ])
})
