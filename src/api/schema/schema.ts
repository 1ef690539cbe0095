/**
 * The JSON-schema keywords that Waybill's resources use: those a Kubernetes structural schema allows.
 * One literal of this shape is the TypeScript type (`Infer`), the CRD, the validator and the reference documentation.
 * Source of the rules: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export type Schema = StringSchema | IntegerSchema | BooleanSchema | ArraySchema | ObjectSchema | MapSchema

/**
 * A CEL rule that the API server enforces; a rule that mentions `oldSelf` holds on updates only. Its message says what to
 * do, and begins with a verb.
 */
export type Rule = {
  readonly rule: string
  readonly message: string
  /** The field below this one that is to blame, such as `.deliveryLimit`. */
  readonly fieldPath?: string
}

type Common = {
  readonly description?: string
  readonly 'x-kubernetes-validations'?: readonly Rule[]
}

export type StringSchema = Common & {
  readonly type: 'string'
  readonly enum?: readonly string[]
  readonly format?: 'date-time'
  readonly minLength?: number
  readonly maxLength?: number
  readonly default?: string
}

export type IntegerSchema = Common & {
  readonly type: 'integer'
  readonly format?: 'int64'
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

export type BooleanSchema = Common & { readonly type: 'boolean'; readonly default?: boolean }

export type ArraySchema = Common & {
  readonly type: 'array'
  readonly items: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly default?: readonly (string | number)[]
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

export type ObjectSchema = Common & {
  readonly type: 'object'
  readonly required?: readonly string[]
  readonly properties: { readonly [name: string]: Schema }
  /** `granular`: several managers write the fields of it in a status; else it is one that writes it as a whole. */
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  /** Of a reference to a Secret; it is not part of the CRD. */
  readonly 'x-waybill-secret'?: SecretContent
  /** `{}` lets the defaults of the properties apply when the object itself is left out. */
  readonly default?: Readonly<Record<string, never>>
}

/** What is read from a Secret: the keys that it must have, or the address of a RabbitMQ and who Waybill is there. */
export type SecretContent = readonly string[] | 'endpoint'

export type MapSchema = Common & {
  readonly type: 'object'
  readonly additionalProperties: StringSchema
  readonly maxProperties?: number
}

/** The TypeScript type of a value that has passed validation and defaulting. */
export type Infer<S> = S extends { enum: readonly (infer E)[] }
  ? E
  : S extends { type: 'string' }
    ? string
    : S extends { type: 'integer' }
      ? number
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { type: 'array'; items: infer I }
          ? readonly Infer<I>[]
          : S extends { properties: infer P }
            ? InferObject<P, S extends { required: readonly (infer R)[] } ? R : never>
            : S extends { additionalProperties: infer V }
              ? Readonly<Record<string, Infer<V>>>
              : never

type Present<P, R> = { [K in keyof P]: K extends R ? K : P[K] extends { default: unknown } ? K : never }[keyof P]

type InferObject<P, R> = { readonly [K in Present<P, R>]: Infer<P[K]> } & {
  readonly [K in Exclude<keyof P, Present<P, R>>]?: Infer<P[K]>
}
