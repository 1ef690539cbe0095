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

/** What a kind is: everything that generates, validates, watches or prints walks a list of these. */
export type Kind<
  Name extends string = string,
  S extends ObjectSchema = ObjectSchema,
  T extends ObjectSchema = ObjectSchema,
> = {
  readonly kind: Name
  readonly plural: string
  readonly singular: string
  readonly shortName: string
  readonly description: string
  readonly spec: S
  readonly status: T
  readonly columns: readonly Column[]
  /** Rules on the whole object. Of the metadata they see the name alone. */
  readonly rules?: readonly Rule[]
}

export const defineKind = <const Name extends string, const S extends ObjectSchema, const T extends ObjectSchema>(
  kind: Kind<Name, S, T>,
): Kind<Name, S, T> => kind

/** A resource that has passed validation and defaulting. */
export type Resource<K extends Kind = Kind> = {
  readonly apiVersion: string
  readonly kind: K['kind']
  readonly metadata: Metadata
  readonly spec: Infer<K['spec']>
  readonly status?: Infer<K['status']> & { readonly conditions?: readonly Condition[] }
}

export type StatusOf<K extends Kind> = NonNullable<Resource<K>['status']>

/** Names one resource in logs, messages and claims: `Subscription/shop/billing`. */
export const idOf = (resource: {
  readonly kind: string
  readonly metadata: { readonly namespace: string; readonly name: string }
}): string => `${resource.kind}/${resource.metadata.namespace}/${resource.metadata.name}`

export const isDeleting = (resource: Pick<Resource, 'metadata'>): boolean =>
  resource.metadata.deletionTimestamp !== undefined
