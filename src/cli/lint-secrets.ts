import { idFrom, keyFrom } from '../api/resource.ts'
import { isObject } from '../api/schema/json.ts'
import type { Schema, SecretContent } from '../api/schema/schema.ts'
import { endpointOf } from '../rabbit/endpoint.ts'
import { EndpointError } from '../rabbit/endpoint-error.ts'
import type { Finding } from '../store/directory/finding.ts'
import type { Item } from '../store/directory/parse.ts'
import { lackOf } from '../store/read-secret.ts'
import type { SecretData } from '../store/store.ts'

type SecretFindings = {
  /** Secrets among the files that lack what is read from them. */
  readonly problems: readonly Finding[]
  /** References to Secrets that are not among the files; they may be created by something else. */
  readonly missing: readonly Finding[]
}

/** Follows every reference to a Secret. */
export const secretFindings = (items: readonly Item[]): SecretFindings => {
  const secrets = new Map(items.map(({ id, content }) => [id, content]))
  const problems: Finding[] = []
  const missing: Finding[] = []
  for (const { id, identity, content, file, lineOf } of items) {
    if (content.is !== 'resource') continue
    for (const { field, name, needs } of references(content.kind.spec, content.spec, 'spec')) {
      const finding = (message: string): Finding => {
        const path = `${field}.name`
        return { file, line: lineOf(path), resource: id, problem: { field: path, message } }
      }
      const secret = secrets.get(idFrom('Secret', identity.namespace, name))
      const shown = `Secret ${keyFrom(identity.namespace, name)}`
      if (secret === undefined) missing.push(finding(`${shown} is not among these files`))
      else if (secret.is === 'secret') {
        const fault = needs === 'endpoint' ? endpointFault(secret.data, content.spec) : lackOf(secret.data, needs)
        if (fault) problems.push(finding(`${shown} ${fault}`))
      }
    }
  }
  return { problems, missing }
}

type Reference = { readonly field: string; readonly name: string; readonly needs: SecretContent }

/** Every reference to a Secret in a value of this schema. */
const references = (schema: Schema, value: unknown, path: string): readonly Reference[] => {
  if (!('properties' in schema) || !isObject(value)) return []
  const needs = schema['x-waybill-secret']
  if (needs !== undefined) return [{ field: path, name: String(value.name), needs }]
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    references(property, value[name], `${path}.${name}`),
  )
}

const endpointFault = (data: SecretData, spec: unknown): string | undefined => {
  const vhost = isObject(spec) && typeof spec.vhost === 'string' ? spec.vhost : undefined
  try {
    endpointOf(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString().trim()])), vhost)
    return undefined
  } catch (error) {
    if (error instanceof EndpointError) return error.message
    throw error
  }
}
