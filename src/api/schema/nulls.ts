import { isObject } from './json.ts'
import type { Schema } from './schema.ts'

/**
 * Removes every field that is null from `value`, but not from lists: to the API server, null means left out.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
 */
export const dropNulls = (schema: Schema, value: unknown): void => {
  if (schema.type === 'array' && Array.isArray(value)) for (const item of value) dropNulls(schema.items, item)
  if (!isObject(value)) return
  for (const [name, inner] of Object.entries(value)) {
    const known = innerSchema(schema, name)
    if (known === undefined) continue
    if (inner === null) delete value[name]
    else dropNulls(known, inner)
  }
}

const innerSchema = (schema: Schema, name: string): Schema | undefined => {
  if ('additionalProperties' in schema) return schema.additionalProperties
  return 'properties' in schema && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
}
