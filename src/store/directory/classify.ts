import { kinds } from '../../api/kinds/kinds.ts'
import { group, apiVersion as ours } from '../../api/resource.ts'
import { isObject } from '../../api/schema/json.ts'
import type { Problem } from '../../api/schema/problem.ts'
import type { Manifest } from './identity.ts'

/** A document by its apiVersion and kind alone. */
export type Classified =
  | { readonly is: 'list'; readonly items: readonly unknown[] }
  | { readonly is: 'ours'; readonly kind: string; readonly manifest: Manifest }
  /** Another kind of Kubernetes, which is skipped. */
  | { readonly is: 'foreign'; readonly problem: Problem }
  | { readonly is: 'problem'; readonly problem: Problem }

/** What a document is. Never throws. */
export const classify = (document: unknown): Classified => {
  if (!isObject(document)) return problem('', 'is not a manifest: it must have apiVersion, kind and metadata')
  const { apiVersion, kind, items } = document
  const known = kinds.some((one) => one.kind === kind)
  if (typeof kind !== 'string') return problem('kind', 'is required', kind)
  if (typeof apiVersion !== 'string') {
    return problem('apiVersion', known ? `is required: ${ours}` : 'is required', apiVersion)
  }
  const apiGroup = apiVersion.split('/')[0]
  if (kind.endsWith('List') && (apiVersion === 'v1' || apiGroup === group)) {
    return Array.isArray(items) ? { is: 'list', items } : problem('items', 'must be of type array', items)
  }
  if ((apiVersion === 'v1' && (kind === 'Secret' || kind === 'Namespace')) || (apiGroup === group && known)) {
    return { is: 'ours', kind, manifest: document }
  }
  if (apiGroup === group) return problem('kind', `must be one of ${kinds.map((one) => one.kind).join(', ')}`, kind)
  const message = `Skipped ${kind} (${apiVersion}): not a ${group} kind`
  return { is: 'foreign', problem: { field: '', message } }
}

const problem = (field: string, message: string, value?: unknown): Classified => ({
  is: 'problem',
  problem: { field, message, ...(value === undefined ? {} : { value }) },
})
