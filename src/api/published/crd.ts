import { group, type Kind, version } from '../resource.ts'
import { explained, explainedKind } from '../schema/explained.ts'
import type { ObjectSchema, Schema } from '../schema/schema.ts'

/** The CustomResourceDefinition of a kind, as `kubectl apply` takes it. */
export const crd = (kind: Kind) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: {
      kind: kind.kind,
      listKind: `${kind.kind}List`,
      plural: kind.plural,
      singular: kind.singular,
      shortNames: [kind.shortName],
      categories: ['waybill'],
    },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: kind.columns,
        schema: { openAPIV3Schema: objectSchema(kind) },
      },
    ],
  },
})

const objectSchema = (kind: Kind) => {
  const { spec, status, rules = [] } = kind
  const isOptional = !spec.required?.length
  return {
    type: 'object',
    description: explainedKind(kind),
    ...(isOptional ? {} : { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: { ...documented(spec), ...(isOptional ? { default: {} } : {}) },
      // What no process has seen yet is not taken for up to date by tools that compare the generations.
      status: { ...whole(documented(status)), default: { observedGeneration: -1 } },
    },
    ...(rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}),
  }
}

/** kubectl explain shows descriptions, but neither defaults nor rules, so each description states them too. */
const documented = (schema: Schema, holder?: Schema, name?: string): Schema => {
  const description = explained(schema, { withDefault: true, ...(holder && name ? { holder, name } : {}) })
  const { 'x-waybill-secret': _, ...published } = schema as ObjectSchema
  const own = (description === '' ? published : { ...published, description }) as Schema
  if (own.type === 'array') return { ...own, items: documented(own.items) }
  if (!('properties' in own)) return own
  const inner = Object.entries(own.properties).map(([name, property]) => [name, documented(property, own, name)])
  return { ...own, properties: Object.fromEntries(inner) }
}

/**
 * One field manager writes each object in a status as a whole, unless it says otherwise. Recording the writer of each of its fields as well would make
 * every write cost the API server a fifth more.
 */
const whole = (status: Schema): Schema => {
  const atomic = (schema: Schema): Schema => {
    if (schema.type === 'array') return { ...schema, items: atomic(schema.items) }
    if (!('properties' in schema) || schema['x-kubernetes-map-type'] === 'granular') return schema
    return { ...schema, 'x-kubernetes-map-type': 'atomic' }
  }
  if (!('properties' in status)) return status
  const inner = Object.entries(status.properties).map(([name, property]) => [name, atomic(property)])
  return { ...status, properties: Object.fromEntries(inner) }
}
