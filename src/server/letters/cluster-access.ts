import { createHash } from 'node:crypto'
import { type Access, type Denied, type Right, unauthenticated, type Wanted } from './access.ts'
import { Remembered } from './remembered.ts'

type User = { readonly username: string }

/** As much of a rule as RBAC needs. */
type Attributes = {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly verb: string
}

/** The API server, as far as it is asked here. Both reject where it cannot be asked. */
export type Reviews<U extends User> = {
  /** The user of a token; `undefined` where it is not valid here. */
  userOf(token: string): Promise<U | undefined>
  isAllowed(user: U, attributes: Attributes): Promise<boolean>
}

export type ClusterAccessOptions = {
  /** Of the resources: `waybill.dev`. */
  readonly group: string
  /** Called with why the API server could not be asked; it holds no token. */
  failed(error: unknown): void
  readonly nowMs?: () => number
}

const rules: Readonly<Record<Right, { readonly verb: string; readonly subresource: string }>> = {
  list: { verb: 'list', subresource: 'deadletters' },
  get: { verb: 'get', subresource: 'deadletters' },
  body: { verb: 'get', subresource: 'deadletterbodies' },
  update: { verb: 'update', subresource: 'deadletters' },
}

/** The audience that a token must be made for: one for the API server itself is not for Waybill to see. */
export const audience = 'waybill'

const tokensForMs = 60_000
const allowedForMs = 10_000
const most = 1_000

const unavailable: Denied = {
  code: 503,
  reason: 'ServiceUnavailable',
  message: 'cannot ask the API server who may do this; try again',
}

/**
 * What the rules of the cluster allow. Who a token belongs to is remembered for a minute, and what they may do for ten seconds;
 * that something is not allowed is never remembered.
 */
export const clusterAccess = <U extends User>(
  reviews: Reviews<U>,
  { group, failed, nowMs = () => performance.now() }: ClusterAccessOptions,
): Access => {
  const users = new Remembered<U>(tokensForMs, most)
  const allowed = new Remembered<true>(allowedForMs, most)

  const userWith = async (token: string, key: string): Promise<U | undefined> => {
    const askedMs = nowMs()
    const known = users.get(key, askedMs)
    if (known !== undefined) return known
    const user = await reviews.userOf(token)
    if (user !== undefined) users.set(key, user, askedMs)
    return user
  }

  const may = async (user: U, key: string, wanted: Wanted): Promise<boolean> => {
    const askedMs = nowMs()
    const what = JSON.stringify([key, wanted.namespace, wanted.subscription, wanted.right])
    if (allowed.get(what, askedMs)) return true
    const isAllowed = await reviews.isAllowed(user, attributesOf(group, wanted))
    if (isAllowed) allowed.set(what, true, askedMs)
    return isAllowed
  }

  return async ({ token }, wanted) => {
    if (token === undefined) return missing
    const key = createHash('sha256').update(token).digest('base64')
    try {
      const user = await userWith(token, key)
      if (user === undefined) return missing
      return (await may(user, key, wanted)) ? undefined : forbidden(user, group, wanted)
    } catch (error) {
      failed(error)
      return unavailable
    }
  }
}

const missing: Denied = {
  ...unauthenticated,
  message: `${unauthenticated.message}, made with kubectl create token ACCOUNT --audience ${audience}`,
}

const attributesOf = (group: string, { namespace, subscription, right }: Wanted): Attributes => ({
  group,
  resource: 'subscriptions',
  ...rules[right],
  namespace,
  name: subscription,
})

const forbidden = ({ username }: User, group: string, { namespace, subscription, right }: Wanted): Denied => {
  const { verb, subresource } = rules[right]
  const what = `${verb} subscriptions.${group}/${subresource} of ${subscription || 'all'} in the namespace ${namespace}`
  return { code: 403, reason: 'Forbidden', message: `${username} may not ${what}: a role must allow it` }
}
