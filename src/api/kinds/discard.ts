import { defineKind, type Resource } from '../resource.ts'
import { immutable } from '../schema/fields.ts'
import { jobColumns, jobFields, jobRules, jobStatus } from './letter-job.ts'

export const discard = defineKind({
  kind: 'Discard',
  plural: 'discards',
  singular: 'discard',
  shortName: 'wbx',
  description:
    'Moves dead letters that nobody wants to the queue waybill.discarded, from which the broker drops them after a while. It acts once, as a Job does.',
  spec: {
    type: 'object',
    description: 'Which dead letters, and why.',
    required: ['selector', 'reason'],
    properties: {
      ...jobFields,
      reason: {
        type: 'string',
        minLength: 1,
        maxLength: 256,
        description: 'Why nobody wants them. It is written on each of them.',
        'x-kubernetes-validations': immutable,
      },
    },
    'x-kubernetes-validations': jobRules,
  },
  status: jobStatus,
  columns: jobColumns,
})

export type Discard = Resource<typeof discard>
