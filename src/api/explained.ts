import type { Schema } from './schema.ts'

/** What a field means, in sentences: its description, its rules and limits, and on request its default. */
export const explained = (schema: Schema, { withDefault }: { readonly withDefault: boolean }): string =>
  [schema.description ?? '', ...rules(schema), ...limits(schema), ...(withDefault ? given(schema) : [])]
    .join(' ')
    .trim()

const rules = (schema: Schema): string[] => [
  ...(schema['x-kubernetes-validations'] ?? []).map(({ message, fieldPath }) =>
    fieldPath === undefined ? sentence(message) : `${fieldPath.slice(1)} ${message}.`,
  ),
  ...inner(schema)
    .flatMap(rules)
    .map((text) => `Each ${text.charAt(0).toLowerCase()}${text.slice(1)}`),
]

/** Items and values are no fields: what holds for them is told where they are listed. */
const inner = (schema: Schema): Schema[] => {
  if (schema.type === 'array') return schema.items.type === 'object' ? [] : [schema.items]
  return 'additionalProperties' in schema ? [schema.additionalProperties] : []
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const limits = (schema: Schema): string[] => {
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema
    if (minimum === undefined) return []
    return [maximum === undefined ? `At least ${minimum}.` : `From ${minimum} to ${maximum}.`]
  }
  if (schema.type === 'array' && schema.maxItems !== undefined) return [`At most ${schema.maxItems}.`]
  return 'maxProperties' in schema && schema.maxProperties !== undefined ? [`At most ${schema.maxProperties}.`] : []
}

const given = (schema: Schema): string[] => {
  if (schema.type === 'object' || !('default' in schema) || schema.default === undefined) return []
  return [`Default: ${[schema.default].flat().join(', ')}.`]
}
