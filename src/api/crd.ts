import { explained } from './explained.ts'
import { group, type Kind, version } from './resource.ts'
import type { Schema } from './schema.ts'

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

const objectSchema = ({ description, spec, status, rules }: Kind) => {
  const isOptional = !spec.required?.length
  return {
    type: 'object',
    description,
    ...(isOptional ? {} : { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: { ...documented(spec), description: 'What is asked for.', ...(isOptional ? { default: {} } : {}) },
      status: { ...documented(status), description: 'How it is going. Waybill writes it.' },
    },
    ...(rules ? { 'x-kubernetes-validations': rules } : {}),
  }
}

/** kubectl explain shows descriptions, and neither defaults nor rules: each description tells them too. */
const documented = (schema: Schema): Schema => {
  const description = explained(schema, { withDefault: true })
  const own: Schema = description === '' ? schema : { ...schema, description }
  if (own.type === 'array') return { ...own, items: documented(own.items) }
  if (!('properties' in own)) return own
  const inner = Object.entries(own.properties).map(([name, property]) => [name, documented(property)])
  return { ...own, properties: Object.fromEntries(inner) }
}
