import type { Change } from '../../src/topology/change.ts'
import type { Desired } from '../../src/topology/desired.ts'
import { diff, type Plan } from '../../src/topology/diff.ts'
import type { Removals } from '../../src/topology/health/removals.ts'
import { settleMs } from '../../src/topology/retire.ts'
import { bindingKey, type Observed, type Policy } from '../../src/topology/topology.ts'

const noOperator = { operatorPolicy: '', effective: {} }

type World = Pick<Observed, 'exchanges' | 'queues' | 'bindings' | 'policies'> & {
  /** Messages by queue; the others hold none. */
  readonly messages?: Readonly<Record<string, number>>
}

/** A virtual host in memory that does what RabbitMQ does with a change, as far as plans depend on it. */
export const virtualHost = (world: Partial<World> = {}) => {
  const exchanges = new Map((world.exchanges ?? []).map((exchange) => [exchange.name, exchange]))
  const queues = new Map((world.queues ?? []).map((queue) => [queue.name, queue]))
  const bindings = new Map((world.bindings ?? []).map((binding) => [bindingKey(binding), binding]))
  const policies = new Map((world.policies ?? []).map((policy) => [policy.name, policy]))
  const messages = new Map(Object.entries(world.messages ?? {}))
  const made: Change[] = []

  const policyFor = (name: string, of: 'queues' | 'exchanges'): Policy | undefined =>
    [...policies.values()]
      .filter(({ pattern, applyTo }) => (applyTo === of || applyTo === 'all') && new RegExp(pattern).test(name))
      .sort((a, b) => b.priority - a.priority)[0]

  const dropBindings = (of: 'source' | 'destination', name: string) => {
    for (const [key, binding] of bindings) if (binding[of] === name) bindings.delete(key)
  }

  const apply = (change: Change): void => {
    made.push(change)
    switch (change.do) {
      case 'declare-exchange':
        if (!exchanges.has(change.exchange.name)) exchanges.set(change.exchange.name, change.exchange)
        return
      case 'declare-queue':
        if (!queues.has(change.queue.name)) queues.set(change.queue.name, change.queue)
        return
      case 'put-policy':
        policies.set(change.policy.name, change.policy)
        return
      case 'bind': {
        const { source, destination } = change.binding
        if (!exchanges.has(source) || !queues.has(destination))
          throw new Error(`Cannot bind ${source} → ${destination}`)
        bindings.set(bindingKey(change.binding), change.binding)
        return
      }
      case 'unbind':
        bindings.delete(bindingKey(change.binding))
        return
      case 'delete-queue':
        if (change.only === 'if-empty' && (messages.get(change.queue) ?? 0) > 0) return
        queues.delete(change.queue)
        messages.delete(change.queue)
        dropBindings('destination', change.queue)
        return
      case 'delete-exchange':
        exchanges.delete(change.exchange)
        dropBindings('source', change.exchange)
        return
      case 'delete-policy':
        policies.delete(change.policy)
    }
  }

  const observe = (): Observed => ({
    version: '4.3.6',
    exchanges: [...exchanges.values()],
    queues: [...queues.values()],
    bindings: [...bindings.values()],
    policies: [...policies.values()],
    states: new Map(
      [...queues.keys()].map((name) => {
        const count = messages.get(name) ?? 0
        const policy = policyFor(name, 'queues')?.name ?? ''
        return [
          name,
          { name, state: 'running', messages: count, ready: count, unacknowledged: 0, policy, ...noOperator },
        ]
      }),
    ),
    exchangeStates: new Map(
      [...exchanges.keys()].map((name) => [name, { name, policy: policyFor(name, 'exchanges')?.name ?? '' }]),
    ),
  })

  return {
    observe,
    apply,
    /** Every change so far. */
    made,
    put: (queue: string, count: number) => messages.set(queue, count),
    /** What a property prints. */
    toString: () => JSON.stringify({ made, left: observe() }),
  }
}

export type VirtualHost = ReturnType<typeof virtualHost>

/** A plan with nothing seen before. */
export const planOf = (wanted: Desired, observed: Observed): Plan =>
  diff(wanted, observed, { now: 0, quietSince: new Map(), goingSince: new Map() })

/**
 * Passes of the operator, `settleMs` apart, until one has nothing to do; the last plan. It throws where that takes more
 * than ten.
 */
export const converge = (wanted: Desired, vhost: VirtualHost, removals: Removals = new Map()): Plan => {
  const since = (names: Iterable<string>, before: ReadonlyMap<string, number>, now: number) =>
    new Map([...names].map((name) => [name, before.get(name) ?? now]))
  let quietSince: ReadonlyMap<string, number> = new Map()
  let goingSince: ReadonlyMap<string, number> = new Map()
  for (let pass = 0; pass < 10; pass += 1) {
    const now = pass * settleMs
    const going = [...wanted.owners].flatMap(([owner, how]) => (how === 'present' ? [] : [owner]))
    goingSince = since([...going, ...removals.keys()], goingSince, now)
    const plan = diff(wanted, vhost.observe(), { now, quietSince, goingSince, removals })
    const changes = plan.stages.flat()
    for (const { change } of changes) vhost.apply(change)
    if (changes.length === 0 && plan.waiting.size === 0 && plan.quiet.size === 0) return plan
    quietSince = since(plan.quiet, quietSince, now)
  }
  throw new Error('Does not come to rest')
}

/** The names of what is there, in order. */
export const namesIn = ({ queues, exchanges }: Observed): string[] =>
  [...queues.map(({ name }) => `queue ${name}`), ...exchanges.map(({ name }) => `exchange ${name}`)].sort()
