import type { Kind, Resource, StatusOf } from '../api/resource.ts'

/** The data of a Secret, decoded. Read it when it is needed and do not keep it. */
export type SecretData = Readonly<Record<string, Buffer>>

/** Who writes a status: each manager owns the fields and the conditions that it last applied, and no others. */
export type FieldManager = 'waybill-operator' | 'waybill-dispatcher' | 'waybill-dead-letters'

/** Something that happened to a resource, for its users to see. */
export type Notice = {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, for machines. */
  readonly reason: string
  readonly message: string
}

/** Which resource, Secret or Namespace changed; the store has its present state. */
export type Change = { readonly kind: string; readonly namespace: string; readonly name: string }

/**
 * Where resources live. Reads answer from a cache that a list-watch keeps current; writes go to the source and come
 * back as changes. Semantics are those of the Kubernetes API server, whichever adapter is behind it.
 */
export type Store = {
  /** All resources of a kind, in no particular order. */
  list<K extends Kind>(kind: K): readonly Resource<K>[]
  get<K extends Kind>(kind: K, namespace: string, name: string): Resource<K> | undefined
  /**
   * Whether there is such a resource, or may be: also one that has never been valid since this process started, or whose
   * namespace or file could not be read since then. Where it is false, it is gone.
   */
  mayExist(kind: Kind, namespace: string, name: string): boolean
  /** Calls `listener` after each change of the cache, until the returned function is called. An error that it throws is logged. */
  onChange(listener: (change: Change) => void): () => void
  /**
   * The labels of a namespace; `undefined` while they are not known, as where this process may not read namespaces. A change of
   * them is a change of kind `Namespace`, whose namespace is its name.
   */
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined
  /** The Secret as it is now, or `undefined` where there is none. @throws SecretError */
  secret(namespace: string, name: string): Promise<SecretData | undefined>
  /**
   * Server-side apply of the status: the manager's fields become exactly these, the other managers' stay.
   * It is not an error where the resource is gone meanwhile.
   */
  applyStatus<K extends Kind>(
    kind: K,
    resource: Resource<K>,
    manager: FieldManager,
    status: Partial<StatusOf<K>>,
  ): Promise<void>
  /** Adds or removes Waybill's finalizer. A resource being deleted is removed once it has none. */
  setFinalizer(kind: Kind, resource: Resource, present: boolean): Promise<void>
  /** Deletes the resource with this uid, as its owner would. One that is gone is none to delete. */
  remove(kind: Kind, resource: Resource): Promise<void>
  /** Publishes a notice about a resource: a Kubernetes Event where there is Kubernetes, else a log line. */
  record(resource: Resource, notice: Notice): void
}

/** The finalizer that lets the operator clean up the broker before a resource is gone. */
export const finalizer = 'waybill.dev/topology'
