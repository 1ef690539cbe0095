import type { Broker } from '../api/kinds/broker.ts'

/** The labels of a namespace. */
export type Labels = Readonly<Record<string, string>>

/** The labels of each namespace; `undefined` where they are not known. */
export type LabelsOf = (namespace: string) => Labels | undefined

export type NamespaceSelector = NonNullable<Broker['spec']['customNames']['selector']>
type Requirement = NonNullable<NamespaceSelector['matchExpressions']>[number]

/**
 * Whether a namespace is selected, by the rules of label selectors.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export const isSelected = ({ matchLabels = {}, matchExpressions = [] }: NamespaceSelector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
  matchExpressions.every((requirement) => meets(labels, requirement))

const meets = (labels: Labels, { key, operator, values = [] }: Requirement): boolean => {
  const value = labelOf(labels, key)
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined
