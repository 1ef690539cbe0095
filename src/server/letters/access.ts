/** What somebody wants to do with the dead letters of a subscription. */
export type Wanted = {
  readonly namespace: string
  /** Empty for all of the namespace. */
  readonly subscription: string
  readonly right: Right
}

/**
 * | right | |
 * | --- | --- |
 * | `list` | letters without bodies |
 * | `get` | one letter without its body |
 * | `body` | the body of a letter, and what is exported |
 * | `update` | put letters into the queue |
 */
export type Right = 'list' | 'get' | 'body' | 'update'

/** Why a request is not answered; the message says what is missing, and holds nothing of the request. */
export type Denied = { readonly code: 401 | 403 | 421 | 503; readonly reason: string; readonly message: string }

/** Who sent a request, as far as it says so. */
export type Caller = { readonly host: string | undefined; readonly token: string | undefined }

/** Decides about one request; `undefined` allows it. */
export type Access = (caller: Caller, wanted: Wanted) => Promise<Denied | undefined>

/** The token of a header `Authorization: Bearer …`. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]

export const unauthenticated: Denied = {
  code: 401,
  reason: 'Unauthorized',
  message: 'needs a valid token: send it as Authorization: Bearer TOKEN',
}
