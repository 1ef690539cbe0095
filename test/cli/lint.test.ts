import { folder, secret, topic } from '../store/manifests.ts'
import { waybill } from './waybill.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const { close } of open.splice(0)) close()
})

const lint = async (text: string, name = 'a.yaml') => {
  const made = folder()
  open.push(made)
  await made.write(name, text)
  const { code, out, err } = await waybill('lint', made.path)
  return { code, err, lines: out.replaceAll(`${made.path}/`, '').trimEnd().split('\n') }
}

const waybillKind = (kind: string, name: string, spec: string): string =>
  `apiVersion: waybill.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const broker = waybillKind('Broker', 'main', '{ connection: { secretRef: { name: rabbit } } }')
const rabbit =
  'apiVersion: v1\nkind: Secret\nmetadata: { name: rabbit }\nstringData: { connection_string: "amqp://ann:hunter2@127.0.0.1/" }\n'
const all = (...texts: string[]): string => texts.join('---\n')

test('lint finds no problems in good manifests', async () => {
  const subscription = waybillKind(
    'Subscription',
    'mail',
    '{ topicRef: { name: orders }, subscriber: { url: http://h/ } }',
  )
  const { code, lines } = await lint(all(broker, rabbit, topic('orders'), subscription))
  expect([code, lines]).toEqual([0, ['4 manifests in 1 file: no problems']])
})

test('lint notes a wildcard that is none, which is valid', async () => {
  const spec =
    '{ topicRef: { name: orders }, subscriber: { url: http://h/ }, filter: { routingKeys: [order.*, order*] } }'
  const { code, lines } = await lint(all(broker, rabbit, topic('orders'), waybillKind('Subscription', 'mail', spec)))
  expect([code, lines]).toEqual([
    0,
    [
      'a.yaml:20: note: Subscription/default/mail: spec.filter.routingKeys[1]: order* matches the word order* alone: * and # stand for words only as a word of their own, as in order.* or order.#',
      '4 manifests in 1 file: no problems',
    ],
  ])
})

test.each([
  [
    'a wrong type',
    all(broker, rabbit, topic('a', 'brokerRef: { name: main }, unrouted: 5')),
    'a.yaml:15: Topic/default/a: spec.unrouted: must be of type string, found 5',
  ],
  [
    'a reference to nothing',
    all(broker, rabbit, topic('a', 'brokerRef: { name: mian }')),
    'a.yaml:15: Topic/default/a: spec.brokerRef: Broker default/mian does not exist',
  ],
  [
    'two resources claiming one exchange',
    all(
      broker,
      rabbit,
      topic('a', 'brokerRef: { name: main }, exchange: { name: x }'),
      topic('b', 'brokerRef: { name: main }, exchange: { name: x }'),
    ),
    'a.yaml:21: Topic/default/b: spec.exchange.name: exchange x is already declared by Topic/default/a',
  ],
  [
    'a name that makes one over 255 bytes',
    all(
      broker,
      rabbit,
      topic('orders'),
      waybillKind('Subscription', 'x'.repeat(250), '{ topicRef: { name: orders }, subscriber: { url: http://h/ } }'),
    ).replaceAll('x'.repeat(250), `${'x'.repeat(63)}.`.repeat(3) + 'x'.repeat(55)),
    'a.yaml:19: Subscription/default/xxx',
  ],
  [
    'a Secret without the keys',
    all(broker, secret('rabbit', 'p')),
    'a.yaml:4: Broker/default/main: spec.connection.secretRef.name: Secret default/rabbit needs the key connection_string',
  ],
  [
    'a Secret for another virtual host',
    all(
      rabbit.replace('127.0.0.1/', '127.0.0.1/cases%2Fteam'),
      waybillKind('Broker', 'main', '{ connection: { secretRef: { name: rabbit } }, vhost: cases }'),
    ),
    'a.yaml:9: Broker/default/main: spec.connection.secretRef.name: Secret default/rabbit key connection_string is for virtual host "cases/team", and spec.vhost is "cases": leave one of them out',
  ],
  [
    'a Secret with an option that is not known',
    all(broker, rabbit.replace('127.0.0.1/', '127.0.0.1/?verify=verify_none')),
    'a.yaml:4: Broker/default/main: spec.connection.secretRef.name: Secret default/rabbit key connection_string has the option verify, which is not known: leave it out',
  ],
  [
    'a Secret without a certificate',
    all(
      rabbit,
      waybillKind(
        'Broker',
        'main',
        '{ connection: { secretRef: { name: rabbit } }, tls: { caSecretRef: { name: rabbit } } }',
      ),
    ),
    'a.yaml:9: Broker/default/main: spec.tls.caSecretRef.name: Secret default/rabbit needs the key ca.crt',
  ],
  [
    'a URL with a user',
    all(
      broker,
      rabbit,
      topic('orders'),
      waybillKind('Subscription', 's', '{ topicRef: { name: orders }, subscriber: { url: "http://ann:hunter2@h/" } }'),
    ),
    'a.yaml:20: Subscription/default/s: spec.subscriber.url: must not contain a user',
  ],
  [
    'the same twice',
    all(broker, rabbit, topic('a'), topic('a')),
    'a.yaml:20: Topic/default/a: metadata.name: is already defined in a.yaml:14',
  ],
])('lint reports %s in one line and exits with 1', async (_what, text, expected) => {
  const { code, lines } = await lint(text)
  expect(lines).toHaveLength(2)
  expect(lines[0]?.slice(0, expected.length)).toBe(expected)
  expect([code, lines[1]]).toEqual([1, expect.stringMatching(/: 1 problem$/)])
  expect(lines.join()).not.toContain('hunter2')
})

test('lint does not report a reference to a resource that has a problem itself', async () => {
  const faulty = topic('orders', 'brokerRef: { name: main }, unrouted: Keep')
  const subscription = waybillKind(
    'Subscription',
    's',
    '{ topicRef: { name: orders }, subscriber: { url: http://h/ } }',
  )
  const { lines } = await lint(all(broker, rabbit, faulty, subscription))
  expect(lines).toHaveLength(2)
})

test('lint notes Secrets that are not among the files, and resources of other kinds', async () => {
  const { code, lines } = await lint(all(broker, 'apiVersion: apps/v1\nkind: Deployment\n'))
  expect(code).toBe(0)
  expect(lines).toEqual([
    'a.yaml:4: note: Broker/default/main: spec.connection.secretRef.name: Secret default/rabbit is not among these files',
    'a.yaml:6: note: Skipped Deployment (apps/v1): not a waybill.dev kind',
    '1 manifest in 1 file: no problems',
  ])
})

test.each([
  ['gone', /gone: does not exist\n.*1 problem\n$/, ''],
  ['', '', /^Error: .*: no \.yaml, \.yml or \.json file found\n$/],
])('lint of a path without manifests exits with 1: %j', async (name, out, err) => {
  const made = folder()
  open.push(made)
  const ended = await waybill('lint', `${made.path}/${name}`)
  expect(ended).toEqual({ code: 1, out: expect.stringMatching(out), err: expect.stringMatching(err) })
})

test.each([
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/, ''],
  [['--help'], 0, /Usage: waybill/, ''],
  [['lint', '--help'], 0, /Example:\n {2}waybill lint manifests\//, ''],
  [[], 2, '', /Usage: waybill/],
  [['lnt'], 2, '', /unknown command 'lnt'\n\(Did you mean lint\?\)/],
  [['lint'], 2, '', /missing required argument 'path'\n\(run waybill lint --help for usage\)/],
  [['run'], 2, '', /required option '-f, --file <path...>' not specified/],
  [['run', '-f', '.', '--instance', 'a:b'], 2, '', /Use lower-case letters/],
  [['run', '-f', '.', '--drain-timeout', 'soon'], 2, '', /Use a duration such as 30s/],
  [['retained', 'rm', 'rabbitmq'], 2, '', /give names, .* or --empty alone/],
  [['retained', 'rm', 'rabbitmq', '--empty', '--with-messages', '3'], 2, '', /give names, .* or --empty alone/],
  [['retained', 'rm', 'rabbitmq', '--empty', '--timeout', 'soon'], 2, '', /Use a duration such as 30s/],
  [['get', '-o', 'xml'], 2, '', /Allowed choices are table, wide, json, yaml/],
])('waybill %j exits with %d', async (args, code, out, err) => {
  expect(await waybill(...args)).toEqual({ code, out: expect.stringMatching(out), err: expect.stringMatching(err) })
})
