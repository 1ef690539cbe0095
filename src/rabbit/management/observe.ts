import type { Arguments, ExchangeState, Observed, Policy, QueueState } from '../../topology/topology.ts'
import type { ManagementApi } from './management-api.ts'

/**
 * Reads a virtual host with what a policymaker may read; its definitions in one piece are for administrators alone. All lists
 * are read at once and none is paged: the broker sorts a whole list for every page.
 *
 * @throws BrokerError
 */
export const readVhost = async (get: ManagementApi['get'], vhost: string, signal: AbortSignal): Promise<Observed> => {
  const [{ rabbitmq_version: version }, exchanges, queues, bindings, policies] = await Promise.all([
    get<{ rabbitmq_version: string }>('/overview?disable_stats=true&columns=rabbitmq_version', signal),
    get<ListedExchange[]>(`/exchanges/${vhost}?disable_stats=true&columns=name,type,arguments,policy`, signal),
    get<ListedQueue[]>(`/queues/${vhost}?${totalsOnly}`, signal),
    get<ListedBinding[]>(`/bindings/${vhost}?columns=${bindingColumns}`, signal),
    get<ListedPolicy[]>(`/policies/${vhost}?columns=name,pattern,apply-to,priority,definition`, signal),
  ])
  const limits = await operatorLimits(get, vhost, queues, signal)
  // The broker's own, which nobody declares.
  const declared = exchanges.filter(({ name }) => name !== '' && !name.startsWith('amq.'))
  return {
    version,
    exchanges: declared.map(({ name, type, arguments: args }) => ({ name, type, arguments: args })),
    queues: queues.map(({ name, durable, arguments: args }) => ({ name, durable, arguments: args })),
    bindings: bindings.filter(isDeclared).map(bindingOf),
    policies: policies.map(policyOf),
    states: new Map(queues.map((queue) => [queue.name, stateOf({ ...queue, ...limits.get(queue.name) })])),
    exchangeStates: new Map(declared.map((exchange) => [exchange.name, exchangeStateOf(exchange)])),
  }
}

/** Before 4.0, what operator policies make of a queue is only in the full statistics: read where there are such policies. */
const operatorLimits = async (
  get: ManagementApi['get'],
  vhost: string,
  queues: readonly ListedQueue[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, InForce>> => {
  const isListed = queues.every((queue) => 'effective_policy_definition' in queue)
  if (isListed || (await get<unknown[]>(`/operator-policies/${vhost}?columns=name`, signal)).length === 0) {
    return new Map()
  }
  const full = await get<(InForce & { name: string })[]>(`/queues/${vhost}?columns=${inForceColumns}`, signal)
  return new Map(full.map(({ name, ...inForce }) => [name, inForce]))
}

const inForceColumns = 'name,operator_policy,effective_policy_definition'
const totalsOnly = `disable_stats=true&enable_queue_totals=true&columns=durable,arguments,state,messages,messages_ready,messages_unacknowledged,policy,${inForceColumns}`
const bindingColumns = 'source,destination,destination_type,routing_key,arguments'

type InForce = { operator_policy?: string | null; effective_policy_definition?: Arguments }

type ListedExchange = { name: string; type: string; arguments: Arguments; policy?: string }

type ListedQueue = InForce & {
  name: string
  durable: boolean
  arguments: Arguments
  state?: string
  messages?: number
  messages_ready?: number
  messages_unacknowledged?: number
  policy?: string
}

type ListedBinding = {
  source: string
  destination: string
  destination_type: string
  routing_key: string
  arguments: Arguments
}

type ListedPolicy = Omit<Policy, 'applyTo'> & { 'apply-to': Policy['applyTo'] }

/** Whether it is not one of those that every queue has to the default exchange. */
const isDeclared = ({ source, destination_type }: ListedBinding): boolean =>
  source !== '' && destination_type === 'queue'

const bindingOf = ({ source, destination, routing_key, arguments: args }: ListedBinding) => ({
  source,
  destination,
  routingKey: routing_key,
  arguments: args,
})

const policyOf = ({ 'apply-to': applyTo, name, pattern, priority, definition }: ListedPolicy): Policy => ({
  name,
  pattern,
  applyTo,
  priority,
  definition,
})

const stateOf = (queue: ListedQueue): QueueState => ({
  name: queue.name,
  state: queue.state ?? 'unknown',
  messages: queue.messages ?? 0,
  ready: queue.messages_ready ?? 0,
  unacknowledged: queue.messages_unacknowledged ?? 0,
  policy: queue.policy ?? '',
  operatorPolicy: queue.operator_policy ?? '',
  effective: queue.effective_policy_definition ?? {},
})

const exchangeStateOf = ({ name, policy }: ListedExchange): ExchangeState => ({ name, policy: policy ?? '' })
