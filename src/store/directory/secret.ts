import { isObject } from '../../api/schema/json.ts'
import type { Problem } from '../../api/schema/problem.ts'
import type { SecretData } from '../store.ts'
import { type Manifest, unknownFields } from './identity.ts'

const fields = ['apiVersion', 'kind', 'metadata', 'type', 'immutable', 'data', 'stringData']

/** Decodes a core/v1 Secret; `stringData` takes precedence over `data`. No problem ever shows a value. */
export const decodeSecret = (manifest: Manifest): { data: SecretData } | { problems: readonly Problem[] } => {
  const problems: Problem[] = unknownFields('', manifest, fields)
  const data: Record<string, Buffer> = {}
  for (const field of ['data', 'stringData'] as const) {
    const found = manifest[field] ?? {}
    if (!isObject(found)) {
      problems.push({ field, message: 'must be of type object' })
      continue
    }
    for (const [key, value] of Object.entries(found)) {
      const decoded = field === 'data' ? fromBase64(value) : fromText(value)
      if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key)) {
        problems.push({ field: `${field}.${key}`, message: 'is not a valid key: use letters, digits, -, _ and .' })
      } else if (typeof decoded === 'string') problems.push({ field: `${field}.${key}`, message: decoded })
      else data[key] = decoded
    }
  }
  return problems.length > 0 ? { problems } : { data }
}

const fromText = (value: unknown): Buffer | string =>
  typeof value === 'string' ? Buffer.from(value) : 'must be of type string: put it into quotes'

const fromBase64 = (value: unknown): Buffer | string => {
  const text = typeof value === 'string' ? value.replace(/[\r\n]/g, '') : undefined
  if (text === undefined || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return 'must be base64; plain text goes under stringData'
  }
  return Buffer.from(text, 'base64')
}
