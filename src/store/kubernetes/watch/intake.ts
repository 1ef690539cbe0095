import { validate } from '../../../api/kinds/validate.ts'
import { apiVersion, type Kind, type Metadata, type Resource } from '../../../api/resource.ts'
import type { Problem } from '../../../api/schema/problem.ts'

/** An object as the API server sent it, with as much of it checked as everything else relies on. */
export type Raw = {
  readonly metadata: Metadata
  readonly spec?: unknown
  readonly status?: NonNullable<Resource['status']>
}

/** The object, or `undefined` where it lacks a name, an identity or a version. */
export const rawOf = (object: unknown): Raw | undefined => {
  const { metadata, spec, status }: { metadata?: unknown; spec?: unknown; status?: unknown } = Object(object)
  // These two are not read, and they are larger than all the rest.
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

/** The spec in use, and what was found in the latest one. */
export type Checked = {
  /** The latest generation that was checked. */
  readonly generation: number
  /** The last valid one; the same object for as long as it is in use. */
  readonly valid?: { readonly spec: Resource['spec']; readonly generation: number }
  /** What is wrong with `generation`. */
  readonly problems: readonly Problem[]
}

/**
 * Checks a spec, where that was not done yet: an older or newer CustomResourceDefinition than the one of this version may
 * be installed, so what the API server accepted may be neither complete nor valid.
 */
export const checkSpec = (
  kind: Kind,
  { metadata: { generation }, spec }: Raw,
  before: Checked | undefined,
): Checked => {
  if (before?.generation === generation) return before
  const validated = validate(kind, { apiVersion, kind: kind.kind, spec }, undefined, 'dropped')
  if ('problems' in validated) {
    return { generation, problems: validated.problems, ...(before?.valid ? { valid: before.valid } : {}) }
  }
  return { generation, problems: [], valid: { spec: validated.spec as Resource['spec'], generation } }
}

/** The resource as the rest of Waybill sees it; `undefined` where it never was valid. */
export const resourceOf = (kind: Kind, { metadata, status }: Raw, { valid }: Checked): Resource | undefined =>
  valid && {
    apiVersion,
    kind: kind.kind,
    metadata: { ...metadata, generation: valid.generation },
    spec: valid.spec,
    ...(status ? { status } : {}),
  }
