import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { globSync, readFileSync } from 'node:fs'
import { around, effects, momentsOf } from '../../src/async/effects.ts'

const sources = globSync('src/**/*.ts')
  .filter((file) => !file.endsWith('async/effects.ts'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }))

test('each effect is made in exactly one place, and each place is an effect of the list', () => {
  const made = sources.flatMap(({ text }) => [...text.matchAll(/momentsOf\('([^']+)'\)/g)].map(([, name]) => name))
  expect(made.toSorted()).toEqual([...effects].sort())
})

test('both moments of each effect are told', () => {
  for (const { file, text } of sources) {
    for (const [, name] of text.matchAll(/const (\w+) = momentsOf\(/g)) {
      const around = new RegExp(`\\(\\s*${name},`).test(text)
      const told = text.includes(`${name}.before.publish`) && text.includes(`${name}.after.publish`)
      expect(`${file} ${name} ${around || told}`).toBe(`${file} ${name} true`)
    }
  }
})

/** What changes something outside of the process, and the files that may do so; each tells its moments. */
const ways: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /\b(acknowledge|reject|rejectUpTo)\(this\.#channel|\b(acknowledge|rejectUpTo)\(channel/,
    [
      ...['rabbit/amqp/consume-channel.ts', 'rabbit/amqp/delete-empty.ts'],
      ...['rabbit/amqp/holding/hold.ts', 'rabbit/amqp/holding/requeue.ts'],
    ],
  ],
  [/hannel\.publish\(/, ['rabbit/amqp/delete-empty.ts', 'rabbit/amqp/publish-channel.ts', 'rabbit/amqp/publisher.ts']],
  [/\b(declareQueue|declareExchange|bindQueue|unbindQueue|deleteExchange)\(/, ['rabbit/amqp/declarations.ts']],
  [/\bdeleteQueue\(/, ['rabbit/amqp/declarations.ts', 'rabbit/amqp/delete-empty.ts']],
  [/call\('(PUT|DELETE|POST)'/, ['rabbit/management/management.ts']],
  [/\.dispatch\(/, ['http/connections.ts']],
  [
    /method: '(PUT|POST|PATCH|DELETE)'/,
    [
      // What people ask for, and questions to the API server, change nothing that a process would have to finish.
      ...['cli/letters/client.ts', 'cli/remote/local.ts', 'cli/remote/token.ts'],
      'console/backends/cluster.ts',
      'delivery/attempt/request.ts',
      'store/kubernetes/access/reviews.ts',
      'store/kubernetes/api/resources.ts',
      'store/kubernetes/api/writes.ts',
      'store/kubernetes/events/store-event.ts',
      'store/kubernetes/lease/lease-record.ts',
    ],
  ],
]

test.each(ways)('nothing changes the world by %s but where its moments are told', (way, files) => {
  const found = sources
    .filter(({ file, text }) => !file.includes('/client/') && way.test(text))
    .map(({ file }) => file.replace(/^src\//, ''))
  expect(found.toSorted()).toEqual([...files])
})

test('an effect that fails has no moment after it', async () => {
  const seen: string[] = []
  const moments = momentsOf('bind')
  const listen = (_: unknown, name: string | symbol) => void seen.push(String(name))
  for (const name of ['waybill:bind:before', 'waybill:bind:after']) subscribe(name, listen)
  await around(moments, async () => undefined)
  await around(moments, () => Promise.reject(new Error('no'))).catch(() => undefined)
  for (const name of ['waybill:bind:before', 'waybill:bind:after']) unsubscribe(name, listen)
  expect(seen).toEqual(['waybill:bind:before', 'waybill:bind:after', 'waybill:bind:before'])
})
