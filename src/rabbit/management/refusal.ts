import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'

type Who = Pick<Endpoint, 'username' | 'vhost'>

/** What an answer of the management API means that is not a success, and what to do. The words differ between versions. */
export const refusal = (status: number, text: string, who: Who): BrokerError => {
  const reason = reasonOf(text)
  if (status === 401 || status === 403) return unauthorized(status, reason, who)
  if (status === 404 && /vhost_not_found|Not Found/.test(reason)) return noVhost(who)
  const kind = status >= 500 ? 'failed' : status === 404 ? 'missing' : 'refused'
  return new BrokerError(kind, `The broker answered ${status}: ${reason}`)
}

const unauthorized = (status: number, reason: string, who: Who): BrokerError => {
  const { username, vhost } = who
  if (/Login failed|Not_Authorized/i.test(reason)) {
    return new BrokerError(
      'credentials',
      `The management API refused user ${username} (${reason}): check username and password of the Secret`,
    )
  }
  if (/Not management user|can only log in via localhost/i.test(reason)) {
    const hint = /localhost/.test(reason) ? 'use another user' : tagHint(username)
    return new BrokerError('refused', `The management API is not open to user ${username} (${reason}): ${hint}`)
  }
  if (reason.includes('virtual host')) return noVhost(who)
  return new BrokerError(
    'refused',
    `The broker answered ${status} to user ${username} on virtual host ${vhost}: ${reason}`,
  )
}

/** From 4.x, a virtual host that does not exist and one that the user has no permissions on are answered alike. */
const noVhost = ({ username, vhost }: Who): BrokerError =>
  new BrokerError(
    'refused',
    `Virtual host ${vhost} does not exist, or user ${username} has no permissions on it: create it with rabbitmqctl add_vhost, or give the permissions with rabbitmqctl set_permissions`,
  )

const tagHint = (username: string): string =>
  `give it the tag policymaker with rabbitmqctl set_user_tags ${username} policymaker`

/**
 * To a user who may not read policies, an empty list is answered, as if there were none.
 *
 * @throws BrokerError unless these tags of a user may read and write policies
 */
export const requirePolicymaker = (tags: readonly string[] | string | undefined, username: string): void => {
  const list = typeof tags === 'string' ? tags.split(',') : (tags ?? [])
  if (list.includes('policymaker') || list.includes('administrator')) return
  throw new BrokerError('refused', `User ${username} may not read or put policies: ${tagHint(username)}`)
}

const reasonOf = (text: string): string => {
  try {
    const { reason, error } = JSON.parse(text) as { reason?: unknown; error?: unknown }
    return String(reason ?? error ?? text)
      .trim()
      .replace(/\s+/g, ' ')
      .slice(0, 300)
  } catch {
    return text.slice(0, 100).replace(/\s+/g, ' ')
  }
}
