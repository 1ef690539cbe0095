import type { Binding, Exchange, Policy, Queue } from './topology.ts'

/** One operation on the broker. */
export type Change =
  | { readonly do: 'declare-exchange'; readonly exchange: Exchange }
  | { readonly do: 'declare-queue'; readonly queue: Queue }
  | { readonly do: 'put-policy'; readonly policy: Policy }
  | { readonly do: 'bind'; readonly binding: Binding }
  | { readonly do: 'unbind'; readonly binding: Binding }
  | { readonly do: 'delete-queue'; readonly queue: string; readonly only: 'if-empty' | 'whatever-it-holds' }
  | { readonly do: 'delete-exchange'; readonly exchange: string }
  | { readonly do: 'delete-policy'; readonly policy: string }

/** A change, and the resource that it is charged to. */
export type Planned = { readonly owner: string; readonly change: Change }

/** `declare queue waybill.sub.shop.billing` */
export const changeText = (change: Change): string => `${change.do.replace('-', ' ')} ${objectOf(change)}`

const objectOf = (change: Change): string => {
  switch (change.do) {
    case 'declare-exchange':
      return change.exchange.name
    case 'declare-queue':
      return change.queue.name
    case 'put-policy':
      return change.policy.name
    case 'bind':
    case 'unbind':
      return `${change.binding.source} → ${change.binding.destination}`
    case 'delete-queue':
      return change.queue
    case 'delete-exchange':
      return change.exchange
    case 'delete-policy':
      return change.policy
  }
}
