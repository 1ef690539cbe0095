import type { Binding, Exchange, Policy, Queue } from './topology.ts'

/** One operation on the broker. */
export type Change =
  | { readonly do: 'declare-exchange'; readonly exchange: Exchange }
  | { readonly do: 'declare-queue'; readonly queue: Queue }
  | { readonly do: 'put-policy'; readonly policy: Policy }
  | { readonly do: 'bind'; readonly binding: Binding }
  | { readonly do: 'unbind'; readonly binding: Binding }
  | {
      readonly do: 'delete-queue'
      readonly queue: string
      readonly only: 'if-empty' | 'whatever-it-holds'
      /**
       * Of a queue that cannot be plugged. `classic`: RabbitMQ itself deletes it only if it is empty. `delay`: a level of the
       * ladder, from which a plug would expire like any other message.
       */
      readonly type?: 'classic' | 'delay'
    }
  | { readonly do: 'delete-exchange'; readonly exchange: string }
  | { readonly do: 'delete-policy'; readonly policy: string }

/** A change, and the owner of the resource that it is made for. */
export type Planned = { readonly owner: string; readonly change: Change }

/** The kinds of objects that Waybill declares on a broker. */
export type ObjectKind = 'exchange' | 'queue' | 'binding' | 'policy'

/** An object on the broker: a kind and a name; a binding is named by its two ends. */
export type ObjectName = { readonly kind: ObjectKind; readonly name: string }

/** The object that a change is about. */
export const objectOf = (change: Change): ObjectName => {
  switch (change.do) {
    case 'declare-exchange':
      return { kind: 'exchange', name: change.exchange.name }
    case 'declare-queue':
      return { kind: 'queue', name: change.queue.name }
    case 'put-policy':
      return { kind: 'policy', name: change.policy.name }
    case 'bind':
    case 'unbind':
      return { kind: 'binding', name: `${change.binding.source} → ${change.binding.destination}` }
    case 'delete-queue':
      return { kind: 'queue', name: change.queue }
    case 'delete-exchange':
      return { kind: 'exchange', name: change.exchange }
    case 'delete-policy':
      return { kind: 'policy', name: change.policy }
  }
}

/** `exchange shop.orders`: how an object is written in messages, and its key in maps. */
export const objectText = ({ kind, name }: ObjectName): string => `${kind} ${name}`

/** `declare queue waybill.sub.shop.billing` */
export const changeText = (change: Change): string => `${change.do.replace('-', ' ')} ${objectOf(change).name}`
