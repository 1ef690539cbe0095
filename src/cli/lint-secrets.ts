import { EndpointError, endpointOf } from '../rabbit/endpoint.ts'
import type { Finding } from '../store/directory/finding.ts'
import type { Item } from '../store/directory/parse.ts'
import type { SecretData } from '../store/store.ts'

/** Keys that a Secret must have, by the field that refers to it. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  caSecretRef: ['ca.crt'],
  clientCertificateSecretRef: ['tls.crt', 'tls.key'],
}

type SecretFindings = {
  /** Secrets among the files that lack what is read from them. */
  readonly problems: readonly Finding[]
  /** References to Secrets that are not among the files; they may be made by somebody else. */
  readonly missing: readonly Finding[]
}

/** Follows every reference to a Secret. */
export const secretFindings = (items: readonly Item[]): SecretFindings => {
  const secrets = new Map(items.map(({ id, content }) => [id, content]))
  const problems: Finding[] = []
  const missing: Finding[] = []
  for (const { id, identity, content, file, lineOf } of items) {
    if (content.is !== 'resource') continue
    for (const { field, key, name } of references(content.spec, 'spec')) {
      const finding = (message: string): Finding => {
        const path = `${field}.name`
        return { file, line: lineOf(path), resource: id, problem: { field: path, message } }
      }
      const secret = secrets.get(`Secret/${identity.namespace}/${name}`)
      if (secret === undefined) {
        missing.push(finding(`Secret ${identity.namespace}/${name} is not among these files`))
      } else if (secret.is === 'secret') {
        const fault = key === 'secretRef' ? endpointFault(secret.data) : keyFault(secret.data, neededKeys[key] ?? [])
        if (fault) problems.push(finding(`Secret ${identity.namespace}/${name} ${fault}`))
      }
    }
  }
  return { problems, missing }
}

type Reference = { readonly field: string; readonly key: string; readonly name: string }

/** Every field of a specification whose name ends in secretRef. */
const references = (value: unknown, path: string): readonly Reference[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]): readonly Reference[] => {
    const field = `${path}.${key}`
    if (!/secretRef$/i.test(key)) return references(inner, field)
    return [{ field, key, name: String((inner as { name: unknown }).name) }]
  })
}

const endpointFault = (data: SecretData): string | undefined => {
  try {
    endpointOf(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString()])), '/')
    return undefined
  } catch (error) {
    if (error instanceof EndpointError) return error.message
    throw error
  }
}

const keyFault = (data: SecretData, keys: readonly string[]): string | undefined => {
  const lacking = keys.filter((key) => !data[key]?.length)
  return lacking.length > 0 ? `needs the key ${lacking.join(' and ')}` : undefined
}
