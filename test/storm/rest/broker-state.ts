import type { Desired } from '../../../src/topology/desired.ts'
import type { Vhost } from '../../support/vhost.ts'

/** What a virtual host holds, one text for each object with all that was declared of it. */
export type BrokerState = Readonly<Record<(typeof kinds)[number], readonly string[]>>

const kinds = ['queues', 'exchanges', 'bindings', 'policies', 'queues under a policy'] as const

type Listed = {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly auto_delete: boolean
  readonly source: string
  readonly destination: string
  readonly routing_key: string
  readonly arguments: object
  readonly policy?: string | null
  readonly pattern: string
  readonly 'apply-to': string
  readonly priority: number
  readonly definition: object
}

const text = (object: object): string => JSON.stringify(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
const queueText = (name: string, durable: boolean, autoDelete: boolean, args: object): string =>
  `${name}${durable ? '' : ' not durable'}${autoDelete ? ' deleted automatically' : ''} ${text(args)}`
const bindingText = (source: string, destination: string, key: string, args: object): string =>
  `${source} → ${destination} (${key}) ${text(args)}`
const policyText = (policy: Pick<Listed, 'name' | 'pattern' | 'priority' | 'definition'>, applyTo: string): string =>
  `${policy.name} of ${applyTo} ${policy.pattern} (${policy.priority}) ${text(policy.definition)}`
const underText = (queue: string, policy: string): string => `${queue} under ${policy || 'none'}`

/** What it should hold; nothing else may be there. */
export const wantedState = ({ queues, exchanges, bindings, policies }: Desired): BrokerState => {
  const wanted = policies.map(({ want }) => want)
  const inForceOn = (queue: string): string =>
    wanted
      .filter(({ applyTo, pattern }) => applyTo !== 'exchanges' && new RegExp(pattern, 'u').test(queue))
      .toSorted((a, b) => b.priority - a.priority)[0]?.name ?? ''
  return {
    queues: queues.map(({ want }) => queueText(want.name, want.durable, false, want.arguments)),
    exchanges: exchanges.map(({ want }) => queueText(`${want.type} ${want.name}`, true, false, want.arguments)),
    bindings: bindings.map(({ want }) => bindingText(want.source, want.destination, want.routingKey, want.arguments)),
    policies: wanted.map((want) => policyText(want, want.applyTo)),
    'queues under a policy': queues.map(({ want }) => underText(want.name, inForceOn(want.name))),
  }
}

export const readState = async ({ manage, name }: Pick<Vhost, 'manage' | 'name'>): Promise<BrokerState> => {
  const read = async (what: string): Promise<readonly Listed[]> => (await manage('GET', `/${what}/${name}`)) as Listed[]
  const queues = await read('queues')
  // Those that the broker makes itself.
  const exchanges = (await read('exchanges')).filter((one) => one.name !== '' && !one.name.startsWith('amq.'))
  const bindings = (await read('bindings')).filter(({ source }) => source !== '')
  return {
    queues: queues.map((one) => queueText(one.name, one.durable, one.auto_delete, one.arguments)),
    exchanges: exchanges.map((one) =>
      queueText(`${one.type} ${one.name}`, one.durable, one.auto_delete, one.arguments),
    ),
    bindings: bindings.map((one) => bindingText(one.source, one.destination, one.routing_key, one.arguments)),
    policies: (await read('policies')).map((one) => policyText(one, one['apply-to'])),
    'queues under a policy': queues.map(({ name, policy }) => underText(name, policy ?? '')),
  }
}

/** A line for each object that is missing, or should not be there, or is another than it should be. */
export const compare = (wanted: BrokerState, found: BrokerState): string[] =>
  kinds.flatMap((kind) => [
    ...missing(wanted[kind], found[kind]).map((one) => `${kind}: ${one} is missing`),
    ...missing(found[kind], wanted[kind]).map((one) => `${kind}: ${one} should not be there`),
  ])

const missing = (these: readonly string[], those: readonly string[]): readonly string[] => {
  const there = new Set(those)
  return these.filter((one) => !there.has(one))
}
