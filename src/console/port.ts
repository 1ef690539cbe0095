/** What the console reads and does, as the user who is logged in: pages know nothing else of where things are. */
import type { Kind, Resource, ResourceName } from '../api/resource.ts'
import type { LastHour } from '../delivery/last-hour.ts'
import type { ShownLetter } from '../delivery/letters/shown.ts'

/** Who is logged in. */
export type User = { readonly name: string }

/** A right, as rules of RBAC name it. */
export type Right = {
  readonly verb: string
  /** Of the group waybill.dev: `replays`, or `subscriptions/deadletters`. */
  readonly resource: string
  /** All of them where it is left out. */
  readonly namespace?: string | undefined
}

export type Listed = {
  readonly letters: readonly ShownLetter[]
  /** Whether these are all that are asked for. */
  readonly complete: boolean
  /** How many messages of the queue were looked at. */
  readonly looked: number
}

export type FoundLetter = { readonly letter: ShownLetter; readonly copies: number }

export type Hours = ReadonlyMap<string, LastHour>

/** A header with its value, whatever its name. */
export type RevealedHeader = { readonly name: string; readonly value: string }

export type Manifest = { readonly metadata: ResourceName; readonly spec: Readonly<Record<string, unknown>> }

/** A kind and its resources; every function throws a {@link BackendError} where it is refused, or nothing answers. */
export type Backend = {
  readonly user: User
  list<K extends Kind>(kind: K, namespace?: string): Promise<readonly Resource<K>[]>
  get<K extends Kind>(kind: K, of: ResourceName): Promise<Resource<K> | undefined>
  create(kind: Kind, manifest: Manifest): Promise<void>
  /** Sets some fields of the specification. */
  patch(kind: Kind, of: ResourceName, spec: Readonly<Record<string, unknown>>): Promise<void>
  remove(kind: Kind, of: ResourceName): Promise<void>
  letters(of: ResourceName, query: URLSearchParams): Promise<Listed>
  letter(of: ResourceName, id: string): Promise<FoundLetter>
  body(of: ResourceName, id: string): Promise<Uint8Array>
  /** All headers of a letter with their values, to those who may see bodies. */
  headers(of: ResourceName, id: string): Promise<readonly RevealedHeader[]>
  /** The last hour of the subscriptions of a namespace, or of one, by their names; of those in which nothing happened, nothing. */
  hours(namespace: string, name?: string): Promise<Hours>
  may(right: Right): Promise<boolean>
}

/** Why something is not shown or done. The message is for people, and holds no token and nothing of a message. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  /** As in HTTP; 503 where nothing answers. */
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Where users come from. */
export type Backends = {
  /** What a user reaches with their token; `undefined` where the token is not valid. @throws BackendError */
  as(token: string): Promise<Backend | undefined>
  /** What to paste on the page for logging in, in two lines or three. */
  readonly howToLogIn: readonly string[]
}
