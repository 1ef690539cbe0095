import type { Kind } from '../resource.ts'
import type { Rule, Schema } from './schema.ts'

type Options = {
  readonly withDefault?: boolean
  /** The object that holds the field; its rules may be about the field. */
  readonly holder?: Schema
  readonly name?: string
}

/** What a field means, in sentences: its description, its rules and limits, and on request its default. */
export const explained = (schema: Schema, { withDefault = false, holder, name }: Options = {}): string => {
  const blamed = rulesOf(holder).filter(({ fieldPath }) => fieldPath === `.${name}`)
  const own = rulesOf(schema).filter(({ fieldPath }) => fieldPath === undefined)
  return [
    ...new Set([
      schema.description ?? '',
      ...[...own, ...blamed].map(({ message }) => sentence(message)),
      ...inner(schema).flatMap((one) => rulesOf(one).map(({ message }) => sentence(`each ${message}`))),
      ...limits(schema),
      ...(withDefault ? given(schema) : []),
    ]),
  ]
    .join(' ')
    .trim()
}

/** What a kind is, and the rules of the whole object. */
export const explainedKind = ({ description, rules = [] }: Kind): string =>
  [description, ...rules.map(({ fieldPath = '', message }) => `${fieldPath.slice(1)} ${message}.`)].join(' ')

const rulesOf = (schema: Schema | undefined): readonly Rule[] => schema?.['x-kubernetes-validations'] ?? []

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** Items and values are not fields: their rules are explained where they are listed. */
const inner = (schema: Schema): Schema[] => {
  if (schema.type === 'array') return schema.items.type === 'object' ? [] : [schema.items]
  return 'additionalProperties' in schema ? [schema.additionalProperties] : []
}

const limits = (schema: Schema): string[] => {
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema
    if (minimum === undefined) return []
    return [maximum === undefined ? `At least ${minimum}.` : `From ${minimum} to ${maximum}.`]
  }
  if (schema.type === 'array' && schema.maxItems !== undefined) return [`At most ${schema.maxItems} items.`]
  return 'maxProperties' in schema && schema.maxProperties !== undefined
    ? [`At most ${schema.maxProperties} entries.`]
    : []
}

const given = (schema: Schema): string[] => {
  if (schema.type === 'object' || !('default' in schema) || schema.default === undefined) return []
  return [`Default: ${[schema.default].flat().join(', ')}.`]
}
