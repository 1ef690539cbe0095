import { validate } from '../../../api/kinds/validate.ts'
import { apiVersion, type Kind, type Metadata, type Resource } from '../../../api/resource.ts'
import type { Problem } from '../../../api/schema/problem.ts'

/** An object as the API server sent it; what the rest relies on is checked. */
export type Raw = {
  readonly metadata: Metadata
  readonly spec?: unknown
  readonly status?: NonNullable<Resource['status']>
}

/** The object, or `undefined` where it has no name, uid, generation or version. */
export const rawOf = (object: unknown): Raw | undefined => {
  const { metadata, spec, status }: { metadata?: unknown; spec?: unknown; status?: unknown } = Object(object)
  // These two are never read, and they are larger than all the rest.
  const { managedFields: _, annotations: all, ...kept }: Record<string, unknown> = Object(metadata)
  const { 'kubectl.kubernetes.io/last-applied-configuration': __, ...annotations }: Record<string, unknown> =
    Object(all)
  const { name, namespace, uid, generation, resourceVersion } = kept
  if (![name, namespace, uid].every((one) => typeof one === 'string' && one !== '')) return undefined
  if (typeof generation !== 'number' || typeof resourceVersion !== 'string' || !/^\d+$/.test(resourceVersion)) {
    return undefined
  }
  const checked = { ...kept, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) } as Metadata
  return {
    metadata: checked,
    spec,
    ...(typeof status === 'object' && status !== null ? { status: status as NonNullable<Resource['status']> } : {}),
  }
}

/** The spec in use, and its generation. */
export type Known = {
  /** The latest generation that was validated. */
  readonly generation: number
  /** The latest valid spec; the same object until there is another. */
  readonly valid?: { readonly spec: Resource['spec']; readonly generation: number }
  /** The problems of `generation`. */
  readonly problems: readonly Problem[]
}

/**
 * Validates a spec, where that was not done yet: the CustomResourceDefinition that is installed may be older or newer than
 * that of this version, so a spec that the API server accepted may be incomplete or invalid.
 */
export const validateSpec = (kind: Kind, { metadata: { generation }, spec }: Raw, before: Known | undefined): Known => {
  if (before?.generation === generation) return before
  const validated = validate(kind, { apiVersion, kind: kind.kind, spec })
  if ('problems' in validated) {
    return { generation, problems: validated.problems, ...(before?.valid ? { valid: before.valid } : {}) }
  }
  return { generation, problems: [], valid: { spec: validated.spec as Resource['spec'], generation } }
}

/** The resource for the rest of Waybill; `undefined` where it was never valid. */
export const resourceOf = (kind: Kind, { metadata, status }: Raw, { valid }: Known): Resource | undefined =>
  valid && {
    apiVersion,
    kind: kind.kind,
    metadata: { ...metadata, generation: valid.generation },
    spec: valid.spec,
    ...(status ? { status } : {}),
  }
