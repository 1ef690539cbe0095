import { kinds } from '../../api/kinds/kinds.ts'
import { group, apiVersion as ours } from '../../api/resource.ts'
import type { Problem } from '../../api/schema/problem.ts'
import { isManifest, type Manifest } from './identity.ts'

/** What a document is, by its apiVersion and kind alone. */
export type Sorted =
  | { readonly is: 'list'; readonly items: readonly unknown[] }
  | { readonly is: 'ours'; readonly kind: string; readonly manifest: Manifest }
  /** Another kind of Kubernetes, which is none of our business. */
  | { readonly is: 'foreign'; readonly problem: Problem }
  | { readonly is: 'problem'; readonly problem: Problem }

export const classify = (document: unknown): Sorted => {
  if (!isManifest(document)) return problem('', 'is not a manifest: it must have apiVersion, kind and metadata')
  const { apiVersion, kind, items } = document
  const known = kinds.some((one) => one.kind === kind)
  if (typeof kind !== 'string') return problem('kind', 'is required', kind)
  if (typeof apiVersion !== 'string') {
    return problem('apiVersion', known ? `is required: ${ours}` : 'is required', apiVersion)
  }
  const owner = apiVersion.split('/')[0]
  if (kind.endsWith('List') && (apiVersion === 'v1' || owner === group)) {
    return Array.isArray(items) ? { is: 'list', items } : problem('items', 'must be of type array', items)
  }
  if ((apiVersion === 'v1' && kind === 'Secret') || (owner === group && known)) {
    return { is: 'ours', kind, manifest: document }
  }
  if (owner === group) return problem('kind', `must be one of ${kinds.map((one) => one.kind).join(', ')}`, kind)
  const message = `${kind} of ${apiVersion} skipped: it is no kind of ${group}`
  return { is: 'foreign', problem: { field: '', message } }
}

const problem = (field: string, message: string, value?: unknown): Sorted => ({
  is: 'problem',
  problem: { field, message, ...(value === undefined ? {} : { value }) },
})
