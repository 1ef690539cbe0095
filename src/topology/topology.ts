/** What a virtual host holds, as Waybill sees it: plain values, compared and printed. */

export type Scalar = string | number | boolean
export type Arguments = Readonly<Record<string, Scalar>>

export type Exchange = {
  readonly name: string
  readonly type: 'topic' | 'fanout' | 'headers' | 'direct'
  readonly arguments: Arguments
}

export type Queue = { readonly name: string; readonly durable: boolean; readonly arguments: Arguments }

/** From an exchange to a queue. Its arguments are part of its identity on the broker. */
export type Binding = {
  readonly source: string
  readonly destination: string
  readonly routingKey: string
  readonly arguments: Arguments
}

export type Policy = {
  readonly name: string
  readonly pattern: string
  readonly applyTo: 'queues' | 'exchanges' | 'all'
  readonly priority: number
  readonly definition: Arguments
}

/** What the broker reports about a queue at one moment. */
export type QueueState = {
  readonly name: string
  readonly state: string
  readonly messages: number
  readonly ready: number
  readonly unacknowledged: number
  /** Name of the one policy in force on it, or ''. */
  readonly policy: string
  /** Name of the one operator policy in force on it, or ''. */
  readonly operatorPolicy: string
  /** What both make together, operator policies having lowered limits. Before RabbitMQ 4.0 known only where there are operator policies. */
  readonly effective: Arguments
}

/** What the broker reports about an exchange at one moment. Operator policies do not apply to exchanges. */
export type ExchangeState = {
  readonly name: string
  /** Name of the one policy in force on it, or ''; what it says is among the policies. */
  readonly policy: string
}

/** A virtual host read back from the broker. */
export type Observed = {
  /** Version of RabbitMQ: `4.3.6`. */
  readonly version: string
  readonly exchanges: readonly (Omit<Exchange, 'type'> & { readonly type: string })[]
  readonly queues: readonly Queue[]
  readonly bindings: readonly Binding[]
  readonly policies: readonly Policy[]
  /** By name of the queue. */
  readonly states: ReadonlyMap<string, QueueState>
  /** By name of the exchange. */
  readonly exchangeStates: ReadonlyMap<string, ExchangeState>
}

/** Identifies a binding; its arguments are part of its identity. */
export const bindingKey = ({ source, destination, routingKey, arguments: args }: Binding): string =>
  JSON.stringify([source, destination, routingKey, sorted(args)])

/** Equal for policies that say the same; one that a resource now wants otherwise has another key. */
export const policyKey = ({ name, pattern, applyTo, priority, definition }: Policy): string =>
  JSON.stringify([name, pattern, applyTo, priority, sorted(definition)])

const sorted = (args: Arguments) => Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))
