import { Ajv, type ErrorObject } from 'ajv'
import { apiVersion, type Kind } from '../resource.ts'
import { isDateTime } from '../schema/fields.ts'
import { isObject } from '../schema/json.ts'
import { dropNulls } from '../schema/nulls.ts'
import type { Problem } from '../schema/problem.ts'
import { brokenRules } from '../schema/rules.ts'
import type { ArraySchema, MapSchema, ObjectSchema, Schema } from '../schema/schema.ts'
import { kinds } from './kinds.ts'

type Manifest = { apiVersion?: unknown; kind?: unknown; metadata?: unknown; spec?: unknown }
/** The spec of a manifest with its defaults, or what is wrong with it. */
export type Validated = { readonly spec: Record<string, unknown> } | { readonly problems: readonly Problem[] }

const options = { allErrors: true, useDefaults: true, verbose: true, strict: false, ownProperties: true } as const

/**
 * The schema that ajv checks: it refuses unknown fields, which a CRD leaves out, and duplicate items of a set, which a CRD
 * expresses by the type of the list.
 */
const closed = (schema: Schema): object => {
  if (schema.type === 'array') {
    const list = schema as ArraySchema
    return { ...list, items: closed(list.items), uniqueItems: list['x-kubernetes-list-type'] === 'set' }
  }
  if (schema.type !== 'object' || 'additionalProperties' in schema) return { ...(schema as Schema | MapSchema) }
  const { properties } = schema as ObjectSchema
  const inner = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, closed(property)]))
  return { ...schema, properties: inner, additionalProperties: false }
}

const schemas = new Map<string, object>(
  kinds.map(({ kind, spec }) => [kind, { type: 'object', required: ['spec'], properties: { spec: closed(spec) } }]),
)

const ajvWith = (removeAdditional: boolean): Ajv => {
  const ajv = new Ajv({ ...options, removeAdditional })
  return ajv.addFormat('date-time', isDateTime)
}

/** Each compiles the schema of a kind when that is first checked, and keeps it: most processes need only one of them. */
const validators = { refused: ajvWith(false), dropped: ajvWith(true) }

/**
 * Checks the spec of a manifest as the API server would and fills in the defaults; the input is not changed.
 * `old` is the spec that it would replace: immutable fields are compared with it. Unknown fields are refused; or dropped,
 * where an API server has accepted them: it may have the CRDs of a newer release, which give every resource their defaults.
 *
 * @throws Error where the kind is not one of `kinds`
 */
export const validate = (
  kind: Kind,
  manifest: Manifest,
  old?: unknown,
  unknownFields: keyof typeof validators = 'refused',
): Validated => {
  if (manifest.apiVersion !== apiVersion) {
    return { problems: [{ field: 'apiVersion', value: manifest.apiVersion, message: `must be ${apiVersion}` }] }
  }
  // A manifest is JSON. A structured clone has prototypes of another realm under jest, which the CEL evaluator refuses.
  const copy: { spec: unknown } = JSON.parse(JSON.stringify({ spec: manifest.spec ?? {} }))
  dropNulls(kind.spec, copy.spec)
  const schema = schemas.get(kind.kind)
  if (schema === undefined) throw new Error(`No validator for kind ${kind.kind}`)
  const check = validators[unknownFields].compile(schema)
  if (!check(copy)) return { problems: firstByField((check.errors ?? []).map(problemOf)) }
  const broken = [...brokenNameRules(kind, manifest), ...brokenRules(kind.spec, copy.spec, old, 'spec')]
  return broken.length > 0 ? { problems: firstByField(broken) } : { spec: copy.spec as Record<string, unknown> }
}

/** The reader of the manifest checks that there is a name at all. */
const brokenNameRules = ({ rules }: Kind, { metadata }: Manifest): readonly Problem[] => {
  const name = isObject(metadata) ? metadata.name : undefined
  if (rules === undefined || typeof name !== 'string') return []
  const whole: ObjectSchema = { type: 'object', properties: {}, 'x-kubernetes-validations': rules }
  return brokenRules(whole, { metadata: { name } }, undefined, '')
}

/** A value of the wrong type breaks every other keyword too, and a bad URL several rules; the first problem is enough. */
const firstByField = (problems: readonly Problem[]): readonly Problem[] =>
  problems.filter(({ field }, index) => problems.findIndex((other) => other.field === field) === index)

/** What is said of a field that is not one of `fields`. */
export const notAField = (fields: readonly string[]): string => `is not a field here: use ${fields.join(', ')}`

const problemOf = (error: ErrorObject): Problem => {
  const field = error.instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
  const { params, data, parentSchema } = error
  switch (error.keyword) {
    case 'required':
      return { field: `${field}.${params.missingProperty}`, message: 'is required' }
    case 'additionalProperties':
      return {
        field: `${field}.${params.additionalProperty}`,
        message: notAField(Object.keys(parentSchema?.properties ?? {})),
      }
    case 'enum':
      return { field, value: data, message: `must be one of ${params.allowedValues.join(', ')}` }
    case 'type':
      return { field, value: data, message: `must be of type ${params.type}` }
    case 'format':
      return { field, value: data, message: 'must be a time such as 2027-01-31T09:30:00Z' }
    case 'uniqueItems':
      return { field, message: `must not contain ${JSON.stringify((data as unknown[])[params.j])} twice` }
    default:
      return { field, value: data, message: error.message ?? error.keyword }
  }
}
