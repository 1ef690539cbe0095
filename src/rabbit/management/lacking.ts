import type { Change } from '../../topology/change.ts'
import { BrokerError } from '../broker-error.ts'

/**
 * The refusal of a change, with the permission that is missing. Older versions name the object alone, and some answers
 * not even that. Other errors are returned as they are.
 */
export const naming = (error: unknown, change: Change, username: string): unknown => {
  if (!(error instanceof BrokerError) || error.kind !== 'refused') return error
  const { message } = error
  if (!/access_refused|access refused|refused for user/i.test(message)) return error
  const [, verb, kind, name] =
    message.match(/(?:(configure|write|read) )?access to (exchange|queue) '([^']*)' in vhost/) ?? []
  const object = kind === undefined ? undefined : ({ kind, name } as Named)
  const right = verb ?? impliedBy(change, object)
  const { kind: what, name: which } = object ?? ownOf(change)
  return new BrokerError(
    'refused',
    `User ${username} needs the permission ${right} on ${what} ${which || 'amq.default'}: change it with rabbitmqctl set_permissions (${message})`,
    { cause: error },
  )
}

type Named = { readonly kind: string; readonly name: string }

const ownOf = (change: Change): Named => {
  if (change.do === 'delete-queue') return { kind: 'queue', name: change.queue }
  if (change.do === 'delete-exchange') return { kind: 'exchange', name: change.exchange }
  return { kind: 'what', name: 'it changes' }
}

/** https://www.rabbitmq.com/docs/access-control#authorisation */
const impliedBy = (change: Change, object: Named | undefined): string => {
  switch (change.do) {
    case 'declare-queue':
      if (object?.kind === 'exchange') return 'write'
      return 'x-dead-letter-exchange' in change.queue.arguments ? 'configure and read' : 'configure'
    case 'declare-exchange':
      if (object !== undefined && object.name !== change.exchange.name) return 'write'
      return 'alternate-exchange' in change.exchange.arguments ? 'configure and read' : 'configure'
    case 'bind':
    case 'unbind':
      return object?.kind === 'exchange' ? 'read' : 'write'
    case 'delete-queue':
      // The proof that it is empty reads it, and names it; the deletion does not.
      return object === undefined ? 'configure' : 'read'
    default:
      return 'configure'
  }
}
