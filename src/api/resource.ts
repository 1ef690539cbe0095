import type { Condition } from './conditions.ts'
import type { Infer, ObjectSchema, Rule } from './schema/schema.ts'

export const group = 'waybill.dev'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`

/** The parts of a Kubernetes object's metadata that Waybill reads. */
export type Metadata = {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly generation: number
  readonly resourceVersion: string
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** A column of `kubectl get`; priority 1 shows only with `-o wide`. */
export type Column = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  readonly priority?: 1
}

/** One kind of resource; what generates, validates, watches or prints walks a list of these. */
export type Kind<
  Name extends string = string,
  Plural extends string = string,
  S extends ObjectSchema = ObjectSchema,
  T extends ObjectSchema = ObjectSchema,
> = {
  readonly kind: Name
  readonly plural: Plural
  readonly singular: string
  readonly shortName: string
  readonly description: string
  readonly spec: S
  readonly status: T
  readonly columns: readonly Column[]
  /** Rules on the whole object. Of the metadata they see the name alone. */
  readonly rules?: readonly Rule[]
}

/** Types a kind by its literal. */
export const defineKind = <
  const Name extends string,
  const Plural extends string,
  const S extends ObjectSchema,
  const T extends ObjectSchema,
>(
  kind: Kind<Name, Plural, S, T>,
): Kind<Name, Plural, S, T> => kind

/** A resource that has passed validation and defaulting. */
export type Resource<K extends Kind = Kind> = {
  readonly apiVersion: string
  readonly kind: K['kind']
  readonly metadata: Metadata
  readonly spec: Infer<K['spec']>
  readonly status?: Infer<K['status']> & { readonly conditions?: readonly Condition[] }
}

export type StatusOf<K extends Kind> = NonNullable<Resource<K>['status']>

/** What names one resource among those of its kind. */
export type ResourceName = { readonly namespace: string; readonly name: string }

type Named = { readonly metadata: ResourceName }

/** `shop/billing`: names one resource among those of its kind. */
export const keyOf = ({ metadata }: Named): string => keyFrom(metadata.namespace, metadata.name)

/** The key of the resource, or the Secret, with this name. */
export const keyFrom = (namespace: string, name: string): string => `${namespace}/${name}`

/** Namespace and name of a key. */
export const namedBy = (key: string): [namespace: string, name: string] => {
  const [namespace = '', name = ''] = key.split('/', 2)
  return [namespace, name]
}

/** `Subscription/shop/billing`: names one resource in logs, messages and owners. */
export const idOf = (resource: Named & { readonly kind: string }): string =>
  idFrom(resource.kind, resource.metadata.namespace, resource.metadata.name)

/** The id of the resource, or the Secret, of this kind with this name. */
export const idFrom = (kind: string, namespace: string, name: string): string => `${kind}/${keyFrom(namespace, name)}`

/** Kind, namespace and name of an id. */
export const identifiedBy = (id: string): [kind: string, namespace: string, name: string] => {
  const [kind = '', namespace = '', name = ''] = id.split('/', 3)
  return [kind, namespace, name]
}

/** Whether somebody deleted it: it is removed once it has no finalizer. */
export const isDeleting = (resource: Pick<Resource, 'metadata'>): boolean =>
  resource.metadata.deletionTimestamp !== undefined
