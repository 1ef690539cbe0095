import { Environment } from '@marcbachmann/cel-js'
import { isObject } from './json.ts'
import type { Problem } from './problem.ts'
import type { Rule, Schema } from './schema.ts'

type Compiled = (context: { self: unknown; oldSelf?: unknown }) => unknown
const compiled = new Map<string, Compiled>()

const environment = new Environment({ unlistedVariablesAreDyn: true })

const compile = (rule: string): Compiled => {
  const known = compiled.get(rule)
  if (known) return known
  const fresh = environment.parse(rule) as unknown as Compiled
  compiled.set(rule, fresh)
  return fresh
}

/**
 * Evaluates the CEL rules of a schema on a value that has passed validation and defaulting, as the API server does:
 * a rule that mentions `oldSelf` is checked only where an old value exists.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export const brokenRules = (schema: Schema, value: unknown, old: unknown, field: string): Problem[] => {
  if (value === undefined) return []
  const own = (schema['x-kubernetes-validations'] ?? [])
    .filter((rule) => !holds(rule, value, old))
    .map(({ message, fieldPath }): Problem => {
      const steps = fieldPath?.split('.').slice(1) ?? []
      const culprit = steps.reduce(member, value)
      const path = [field, ...steps].filter(Boolean).join('.')
      return { field: path, value: isScalar(culprit) ? culprit : undefined, message }
    })
  return [...own, ...nested(schema, value, old, field)]
}

const holds = ({ rule }: Rule, self: unknown, oldSelf: unknown): boolean => {
  if (!/\boldSelf\b/.test(rule)) return compile(rule)({ self }) === true
  return oldSelf === undefined || compile(rule)({ self, oldSelf }) === true
}

const nested = (schema: Schema, value: unknown, old: unknown, field: string): Problem[] => {
  if (schema.type === 'array' && Array.isArray(value)) {
    // Items of an atomic list or a set have no counterpart in the old list, so transition rules never apply to them.
    return value.flatMap((item, index) => brokenRules(schema.items, item, undefined, `${field}[${index}]`))
  }
  if (!isObject(value)) return []
  if ('additionalProperties' in schema) {
    const values = Object.entries(value)
    return values.flatMap(([name, one]) => brokenRules(schema.additionalProperties, one, undefined, `${field}.${name}`))
  }
  if (!('properties' in schema)) return []
  const before = isObject(old) ? old : {}
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    brokenRules(property, value[name], before[name], `${field}.${name}`),
  )
}

const member = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

const isScalar = (value: unknown): boolean => !isObject(value) && !Array.isArray(value)
