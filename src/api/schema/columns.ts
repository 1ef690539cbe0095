import type { Column } from '../resource.ts'

/** Columns of `kubectl get` that several kinds have. */

export const ageColumn: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

const wide = (name: string, condition: string, field: 'reason' | 'message'): Column => ({
  ...{ name, type: 'string', jsonPath: `.status.conditions[?(@.type=="${condition}")].${field}` },
  priority: 1,
})

/** Why a condition is as it is, in a word; with `-o wide`. */
export const reasonColumn = (condition: string): Column => wide('Reason', condition, 'reason')

/** … and in a sentence. */
export const messageColumn = (condition: string): Column => wide('Message', condition, 'message')
