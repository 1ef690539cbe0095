import type { Kind, Resource, ResourceName } from '../../api/resource.ts'
import type { LastHour } from '../../delivery/last-hour.ts'
import { isSameSecret } from '../../server/same-secret.ts'
import { type Backend, BackendError, type Backends, type FoundLetter, type Listed, type Manifest } from '../port.ts'
import { revealedIn } from './record-line.ts'

type Refused = { readonly problem: { readonly code: number; readonly message: string } }
type Answer<T> = Promise<T | Refused>

/** What is in this process, as far as the console needs it. */
export type LocalParts = {
  /** The one token of this process. */
  readonly token: string
  readonly user: string
  readonly howToLogIn: readonly string[]
  readonly store: {
    list<K extends Kind>(kind: K): readonly Resource<K>[]
    get<K extends Kind>(kind: K, namespace: string, name: string): Resource<K> | undefined
  }
  /** `undefined` until there is any. */
  history(
    namespace: string,
    name?: string,
  ): { readonly subscriptions: readonly (LastHour & { readonly name: string })[] } | undefined
  /** What was refused is answered with why. */
  create(kind: Kind, manifest: Manifest): Refused | undefined
  patch(kind: Kind, of: ResourceName, spec: Readonly<Record<string, unknown>>): Refused | undefined
  remove(kind: Kind, of: ResourceName): Refused | undefined
  readonly letters: {
    list(of: ResourceName, query: URLSearchParams): Answer<Listed>
    find(of: ResourceName, id: string): Answer<FoundLetter & { readonly body: Uint8Array }>
    export(of: ResourceName, query: URLSearchParams): Answer<{ readonly lines: ReadableStream<Uint8Array> }>
  }
}

/** Everything, for the one user of `waybill run`. */
export const localBackends = (parts: LocalParts): Backends => {
  const backend = localBackend(parts)
  return {
    as: async (token) => (isSameSecret(token, parts.token) ? backend : undefined),
    howToLogIn: parts.howToLogIn,
  }
}

const localBackend = ({ user, store, letters, ...parts }: LocalParts): Backend => ({
  user: { name: user },
  async list(kind, namespace) {
    const all = store.list(kind)
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace)
  },
  get: async (kind, { namespace, name }) => store.get(kind, namespace, name),
  create: async (kind, manifest) => done(parts.create(kind, manifest)),
  patch: async (kind, of, spec) => done(parts.patch(kind, of, spec)),
  remove: async (kind, of) => done(parts.remove(kind, of)),
  letters: async (of, query) => answered(await letters.list(of, query)),
  async letter(of, id) {
    const { letter, copies } = answered(await letters.find(of, id))
    return { letter, copies }
  },
  body: async (of, id) => answered(await letters.find(of, id)).body,
  async headers(of, id) {
    const { lines } = answered(await letters.export(of, new URLSearchParams({ id })))
    return revealedIn(await new Response(lines).text())
  },
  async hours(namespace, name) {
    const { subscriptions } = parts.history(namespace, name) ?? { subscriptions: [] }
    return new Map(subscriptions.map((hour) => [hour.name, hour]))
  },
  may: async () => true,
})

const answered = <T extends object>(answer: T | Refused): T => {
  if ('problem' in answer) throw new BackendError(answer.problem.code, answer.problem.message)
  return answer
}

const done = (refused: Refused | undefined): void => {
  if (refused) throw new BackendError(refused.problem.code, refused.problem.message)
}
