import { notAField } from '../../api/kinds/validate.ts'
import { labelName, objectName } from '../../api/schema/fields.ts'
import { isObject } from '../../api/schema/json.ts'
import type { Problem } from '../../api/schema/problem.ts'

/** A manifest as it was read, before any check. */
export type Manifest = Readonly<Record<string, unknown>>

/** The identity that the metadata of a manifest states. */
export type Identity = {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** Metadata that a server writes; it may stand in a manifest and is ignored. */
const writtenByServers = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'finalizers',
  'ownerReferences',
  'selfLink',
]
const metadataFields = ['name', 'namespace', 'labels', 'annotations']

/** Reads the metadata of a manifest by the rules of the Kubernetes API; the namespace is `default` when left out. */
export const identify = (kind: string, manifest: Manifest): Identity | readonly Problem[] => {
  const { metadata } = manifest
  if (metadata === undefined || metadata === null) return [{ field: 'metadata.name', message: 'is required' }]
  if (!isObject(metadata)) return [{ field: 'metadata', value: metadata, message: 'must be of type object' }]
  const { name, labels, annotations } = metadata
  // A Namespace is in none; that it is in its own makes one rule for all.
  const { namespace = kind === 'Namespace' ? name : 'default' } = metadata
  const problems = [
    ...nameProblems(name),
    ...namespaceProblems(namespace),
    ...textsProblems('metadata.labels', labels),
    ...textsProblems('metadata.annotations', annotations),
    ...unknownFields('metadata.', metadata, metadataFields, writtenByServers),
  ]
  if (problems.length > 0 || typeof name !== 'string' || typeof namespace !== 'string') return problems
  return { kind, namespace, name, labels: texts(labels), annotations: texts(annotations) }
}

/** The labels of a namespace by its manifest, if it has one: on Kubernetes each has its name as a label. */
export const namespaceLabels = (name: string, labels: Identity['labels'] = {}): Identity['labels'] => ({
  ...labels,
  'kubernetes.io/metadata.name': name,
})

/** Problems of fields that are neither `known` nor `ignored`. */
export const unknownFields = (
  prefix: string,
  found: Manifest,
  known: readonly string[],
  ignored: readonly string[] = [],
): Problem[] =>
  Object.keys(found)
    .filter((field) => !known.includes(field) && !ignored.includes(field))
    .map((field) => ({ field: prefix + field, message: notAField(known) }))

const nameProblems = (name: unknown): Problem[] => {
  const field = 'metadata.name'
  if (name === undefined || name === null) return [{ field, message: 'is required' }]
  if (typeof name !== 'string') return [{ field, value: name, message: 'must be of type string: put it into quotes' }]
  if (name.length <= objectName.maxLength && name.split('.').every(isLabel)) return []
  const message = 'must be lower-case letters, digits, - and ., start and end with a letter or digit, at most 253 long'
  return [{ field, value: name, message }]
}

const namespaceProblems = (namespace: unknown): Problem[] => {
  const field = 'metadata.namespace'
  if (typeof namespace !== 'string') return [{ field, value: namespace, message: 'must be of type string' }]
  if (namespace.length <= labelName.maxLength && isLabel(namespace)) return []
  const message = 'must be lower-case letters, digits and -, start and end with a letter or digit, at most 63 long'
  return [{ field, value: namespace, message }]
}

/** A label of RFC 1123, of which the names of Kubernetes consist. */
const isLabel = (text: string): boolean => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)

const textsProblems = (field: string, value: unknown): Problem[] => {
  if (value === undefined || value === null) return []
  if (!isObject(value)) return [{ field, value, message: 'must be of type object' }]
  return Object.entries(value)
    .filter(([, text]) => typeof text !== 'string')
    .map(([key, text]) => ({
      field: `${field}.${key}`,
      value: text,
      message: 'must be of type string: put it into quotes',
    }))
}

const texts = (value: unknown): Readonly<Record<string, string>> => (value ?? {}) as Record<string, string>
