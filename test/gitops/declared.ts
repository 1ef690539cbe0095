import { type Condition, stamp, verdict } from '../../src/api/conditions.ts'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { generationOf } from '../../src/api/readiness.ts'
import type { Resource } from '../../src/api/resource.ts'
import { newStats } from '../../src/delivery/stats.ts'
import type { WorkerState } from '../../src/dispatcher/replicas/snapshot.ts'
import { type Finding, idleFinding, workerFinding } from '../../src/dispatcher/status/finding.ts'
import { conditionsOf } from '../../src/dispatcher/status/status-conditions.ts'
import { unvouched } from '../../src/operator/dispatchers/vouched.ts'
import { policyReports, unresolvedReports } from '../../src/operator/references/report.ts'
import { UnsupportedVersion } from '../../src/operator/topology/converge.ts'
import { report } from '../../src/operator/topology/report.ts'
import { unreachableReports } from '../../src/operator/topology/unreachable.ts'
import type { Findings } from '../../src/operator/topology/verdicts.ts'
import { BrokerError } from '../../src/rabbit/broker-error.ts'
import type { Report } from '../../src/reconcile/status-writer.ts'
import { SecretError } from '../../src/store/secret-error.ts'
import { desired } from '../../src/topology/desired.ts'
import { dialectOf } from '../../src/topology/dialect.ts'
import type { Plan } from '../../src/topology/diff.ts'
import { ownerOf } from '../../src/topology/names.ts'
import type { Unresolved } from '../../src/topology/references.ts'
import { attachedOf, brokerOf, policyOf, queueOf, resourcesOf, subscriptionOf, topicOf } from '../topology/resources.ts'
import { virtualHost } from '../topology/virtual-host.ts'
import type { KStatus } from './kstatus.ts'

/** One status, by what Waybill writes, and what each tool is to make of it. */
export type Row = readonly [what: string, argo: string, flux: KStatus, resource: Resource]

const now = new Date(Date.UTC(2030, 0, 1))
const broker = brokerOf('rabbitmq')
const topic = topicOf('orders')
const queue = queueOf('work')
const policy = policyOf('keep')
const billing = subscriptionOf('billing')
const attached = attachedOf(resourcesOf(broker, topic, queue, billing))
const wanted = desired(attached, 'waybill', dialectOf('4.3.6'))

const withConditions = (resource: Resource, conditions: readonly Condition[]): Resource => ({
  ...resource,
  status: { observedGeneration: 1, ...generationOf(conditions), conditions },
})

const seen = ({ resource, verdicts }: Report): Resource =>
  withConditions(resource, stamp(verdicts, undefined, resource.metadata.generation, now))

/** What is reported of one resource among all of a broker. */
const of = (reports: readonly Report[] | undefined, { kind }: Resource): Resource => {
  const found = reports?.find(({ resource }) => resource.kind === kind)
  if (found === undefined) throw new Error(`Nothing is said of the ${kind}`)
  return seen(found)
}

const observed = virtualHost().observe()
const idlePlan: Plan = {
  ...{ stages: [], conflicts: [], shadowed: [], changes: [], sealing: [] },
  ...{ gone: new Map(), waiting: new Set(), quiet: new Set() },
}

const reported = (resource: Resource, findings: Partial<Findings> = {}): Resource => {
  const found = { wanted, plan: idlePlan, failures: new Map(), observing: false, unsafe: new Map() }
  return of(report(attached, { ...found, stalled: [], retained: [], ...findings }, observed, 0), resource)
}

const unusable = (resource: Resource, error: Error): Resource =>
  of(unreachableReports(attached, 'waybill', error, new Map()), resource)

const unwatched = verdict('Ready', 'Unknown', 'NotWatched', 'nobody watches')

/** What every resource of a broker may say. */
const onBroker = (resource: Resource): Row[] => {
  const owner = ownerOf('waybill', resource)
  const open = { owner, change: { do: 'delete-policy', policy: 'waybill.x' } } as const
  const conflict = (reason: 'NotClaimed' | 'ImmutableArgument') =>
    reported(resource, { plan: { ...idlePlan, conflicts: [{ owner, reason, message: 'in the way' }] } })
  const trouble = (kind: BrokerError['kind']) => unusable(resource, new BrokerError(kind, 'no'))
  return [
    ['not seen yet', 'Progressing', 'InProgress', { ...resource, status: { observedGeneration: -1 } }],
    ['work is left', 'Progressing', 'InProgress', reported(resource, { plan: { ...idlePlan, stages: [[open]] } })],
    [
      'only observed',
      'Degraded',
      'InProgress',
      reported(resource, { plan: { ...idlePlan, stages: [[open]] }, observing: true }),
    ],
    ['a change refused', 'Degraded', 'InProgress', reported(resource, { failures: new Map([[owner, 'no']]) })],
    ["somebody else's object", 'Degraded', 'Failed', conflict('NotClaimed')],
    ['another type', 'Degraded', 'Failed', conflict('ImmutableArgument')],
    ['broker away', 'Degraded', 'InProgress', trouble('unreachable')],
    ['certificate not trusted', 'Degraded', 'InProgress', trouble('tls')],
    ['wrong password', 'Degraded', 'InProgress', trouble('credentials')],
    ['no such virtual host', 'Degraded', 'InProgress', trouble('refused')],
    [
      'its namespace is not watched',
      'Degraded',
      'InProgress',
      withConditions(resource, stamp([unwatched], undefined, 1, now)),
    ],
    ['too old', 'Degraded', 'InProgress', unusable(resource, new UnsupportedVersion('3.9'))],
    ['no Secret yet', 'Progressing', 'InProgress', unusable(resource, new SecretError('forbidden', 'none'))],
  ]
}

const changed = (resource: Resource): Resource => ({ ...resource, metadata: { ...resource.metadata, generation: 2 } })

const ready = (resource: Resource): Row[] => [
  ['Ready', 'Healthy', 'Current', reported(resource)],
  ['changed since', 'Progressing', 'InProgress', changed(reported(resource))],
]

const dangling = (resource: Unresolved['resource']): Resource =>
  of(unresolvedReports([{ resource, field: 'spec.topicRef', message: 'does not exist' }]), resource)

const refused = (resource: Resource): Row => [
  'a name not permitted',
  'Degraded',
  'Failed',
  reported(resource, {
    wanted: { ...wanted, refusals: [{ resource, reason: 'NotPermitted', field: 'spec', message: 'not yours' }] },
  }),
]

const worker: WorkerState = { generation: 1, starting: false, gone: false }
const declared = reported(billing) as Subscription

/** A Subscription that is declared, by what the dispatcher finds. */
const delivered = ({ verdicts }: Finding, subscription: Subscription = declared): Resource => {
  const own = conditionsOf(subscription, verdicts, 1, now)
  const others = subscription.status?.conditions?.filter(({ type }) => !own.some((one) => one.type === type)) ?? []
  return withConditions(subscription, [...others, ...own])
}

const finding = (state: Partial<WorkerState>, failing = 0): Finding =>
  workerFinding({ ...worker, ...state }, { ...newStats(), failing, ...(failing ? failure : {}) }, 60_000)

const failure = { failingSince: 1, lastFailure: { time: 1, reason: 'Status', message: 'answered 500' } }
const idle = (reason: 'Suspended' | 'TargetInvalid'): Finding =>
  idleFinding({ subscription: billing, reason, message: 'why' }, newStats())
const suspended = { ...declared, spec: { ...declared.spec, suspend: true } } as Subscription
const afterChange = reported({ ...changed(billing), status: delivered(finding({})).status } as Resource)

const unvouchedOf = (subscription: Subscription): readonly Condition[] => {
  const own = unvouched(subscription, 'none', now) ?? []
  return [...(subscription.status?.conditions ?? []).filter(({ type }) => type !== 'Ready'), ...own]
}

const deliveries: readonly Row[] = [
  ['declared, no dispatcher has said anything', 'Progressing', 'InProgress', declared],
  ['delivering', 'Healthy', 'Current', delivered(finding({}))],
  ['a change that no dispatcher has taken up', 'Progressing', 'InProgress', afterChange],
  ['all attempts fail', 'Degraded', 'InProgress', delivered(finding({}, 3))],
  [
    'no consumer yet',
    'Progressing',
    'InProgress',
    delivered(finding({ waiting: { reason: 'NoConsumer', message: '' } })),
  ],
  [
    'AMQP away',
    'Degraded',
    'InProgress',
    delivered(finding({ waiting: { reason: 'BrokerUnreachable', message: '' } })),
  ],
  ['no Service yet', 'Progressing', 'InProgress', delivered(finding({ missing: 'no address' }))],
  ['a queue that ends connections', 'Degraded', 'InProgress', delivered(finding({ unreadable: 'uuid' }))],
  ['suspended', 'Suspended', 'Current', delivered(idle('Suspended'), suspended)],
  ['answered 410', 'Degraded', 'InProgress', delivered(finding({ gone: true }))],
  ['a credential that cannot be used', 'Degraded', 'InProgress', delivered(idle('TargetInvalid'))],
  ['no dispatcher', 'Degraded', 'InProgress', withConditions(declared, unvouchedOf(declared))],
]

export const declaredRows: Readonly<Record<string, readonly Row[]>> = {
  Broker: [...onBroker(broker), ...ready(broker)],
  Topic: [
    ...onBroker(topic),
    ...ready(topic),
    ['no Broker yet', 'Progressing', 'InProgress', dangling(topic)],
    refused(topic),
  ],
  Queue: [
    ...onBroker(queue),
    ...ready(queue),
    ['no Topic yet', 'Progressing', 'InProgress', dangling(queue)],
    refused(queue),
  ],
  Subscription: [
    ...onBroker(billing),
    ...deliveries,
    ['no Topic yet', 'Progressing', 'InProgress', dangling(billing)],
    refused(billing),
  ],
  DeadLetterPolicy: [
    ['not seen yet', 'Progressing', 'InProgress', { ...policy, status: { observedGeneration: -1 } }],
    ['Ready', 'Healthy', 'Current', of(policyReports(resourcesOf(policy), [attached]), policy)],
    ['changed since', 'Progressing', 'InProgress', changed(of(policyReports(resourcesOf(policy), [attached]), policy))],
  ],
}
