import { globSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { parseAllDocuments } from 'yaml'
import { broker } from '../../src/api/kinds/broker.ts'
import { deadLetterPolicy } from '../../src/api/kinds/dead-letter-policy.ts'
import { discard } from '../../src/api/kinds/discard.ts'
import { kinds } from '../../src/api/kinds/kinds.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { validate } from '../../src/api/kinds/validate.ts'
import { apiVersion, type Kind } from '../../src/api/resource.ts'
import { describeWithApiServer, namespace } from '../support/api-server.ts'
import type { TestNamespace } from '../support/kubernetes/test-namespace.ts'
import { anyChange } from './any-spec.ts'
import { dryRun } from './dry-run.ts'

const minimal: readonly [Kind, object | undefined][] = [
  [broker, { connection: { secretRef: { name: 'rabbitmq' } } }],
  [topic, { brokerRef: { name: 'rabbitmq' } }],
  [queue, { brokerRef: { name: 'rabbitmq' }, bindings: [{ topicRef: { name: 'orders' } }] }],
  [subscription, { topicRef: { name: 'orders' }, subscriber: { url: 'http://billing/' } }],
  [subscription, { queueRef: { name: 'work' }, subscriber: { serviceRef: { name: 'billing' }, path: '/events' } }],
  [deadLetterPolicy, undefined],
  [replay, { queueRef: { name: 'work' }, selector: { all: true } }],
  [
    replay,
    { orphans: { brokerRef: { name: 'main' } }, target: { queueRef: { name: 'work' } }, selector: { all: true } },
  ],
  [discard, { topicRef: { name: 'orders' }, selector: { all: true }, reason: 'of a test' }],
]

const examples = globSync('examples/**/*.yaml').flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document): [string, Kind, object][] => {
    const manifest: { kind: string; metadata: { name: string }; spec: object } = document.toJS()
    const kind = kinds.find((one) => one.kind === manifest?.kind)
    return kind ? [[`${file}: ${manifest.kind} ${manifest.metadata.name}`, kind, manifest.spec]] : []
  }),
)

describeWithApiServer('the API server and Waybill on files', () => {
  let own: TestNamespace
  beforeAll(async () => {
    own = await namespace()
  })
  afterAll(() => own.drop())

  const both = async (kind: Kind, spec: unknown) => {
    const there = await dryRun(own.name, kind, spec)
    const here = validate(kind, { apiVersion, kind: kind.kind, metadata: { name: 'x' }, spec })
    return {
      there: 'spec' in there ? there.spec : 'refused',
      here: 'spec' in here ? here.spec : 'refused',
      why: [there, here],
    }
  }

  test.each([...minimal.map(([kind, spec]) => [kind.kind, kind, spec] as const), ...examples])(
    'the API server and Waybill set the same defaults in %s',
    async (_name, kind, spec) => {
      const { there, here } = await both(kind, spec)
      expect(there).toEqual(expect.any(Object))
      expect(there).toEqual(here)
    },
  )

  test('the API server and Waybill accept and refuse the same specifications, whatever value a field has', async () => {
    const anySpec = fc
      .constantFrom(...minimal)
      .chain(([kind, base]) =>
        fc
          .array(anyChange(kind.spec), { minLength: 1, maxLength: 2 })
          .map((changes) => ({ kind, spec: changes.reduce<unknown>((spec, change) => change(spec), base) })),
      )
    const accepted = { yes: 0, no: 0 }
    await fc.assert(
      fc.asyncProperty(anySpec, async ({ kind, spec }) => {
        const { there, here, why } = await both(kind, spec)
        accepted[there === 'refused' ? 'no' : 'yes'] += 1
        expect([there, why]).toEqual([here, why])
      }),
      { numRuns: 400 },
    )
    expect(Math.min(accepted.yes, accepted.no)).toBeGreaterThan(50)
  })
})
