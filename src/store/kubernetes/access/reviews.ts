/** Who a token belongs to, and what they may do: asked of the API server, so that its own rules decide. */
import type { Client } from '../api/client.ts'

/** A user as the API server knows it. */
export type User = {
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** What somebody wants to do with a resource. */
export type Attributes = {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly verb: string
}

type TokenReview = {
  readonly status?: {
    readonly authenticated?: boolean
    readonly user?: Partial<User>
    readonly audiences?: readonly string[]
  }
}

/**
 * The user of a token that was made for this audience; `undefined` where it is not valid, or was made for another one. Where
 * the server says nothing of audiences, it has only checked that the token is one for itself.
 *
 * @throws ApiError
 */
export const userOf = async (
  client: Pick<Client, 'request'>,
  token: string,
  audience: string,
  signal: AbortSignal,
): Promise<User | undefined> => {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [audience] },
  }
  const path = '/apis/authentication.k8s.io/v1/tokenreviews'
  const { status } = await client.request<TokenReview>({ method: 'POST', path, body }, signal)
  const { username, ...rest } = status?.user ?? {}
  if (status?.authenticated !== true || !username || !status.audiences?.includes(audience)) return undefined
  return { username, ...rest }
}

/** Whether the rules of the cluster allow it. @throws ApiError */
export const isAllowed = async (
  client: Pick<Client, 'request'>,
  { username, uid, groups, extra }: User,
  attributes: Attributes,
  signal: AbortSignal,
): Promise<boolean> => {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: username, uid, groups, extra, resourceAttributes: attributes },
  }
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
  const { status } = await client.request<{ status?: { allowed?: boolean; denied?: boolean } }>(
    { method: 'POST', path, body },
    signal,
  )
  return status?.allowed === true && status.denied !== true
}
