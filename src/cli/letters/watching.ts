import { setTimeout as delay } from 'node:timers/promises'
import { endOf, type Job } from '../../api/job.ts'
import type { jobKinds } from '../../api/kinds/kinds.ts'
import type { ResourceName } from '../../api/resource.ts'
import { called } from '../called.ts'
import { Failure } from '../failure.ts'
import type { Remote } from '../remote/remote.ts'

export type JobKind = (typeof jobKinds)[number]
type Watched = Pick<Job, 'status'>

const lookEveryMs = 500
const endsWithinMs = 24 * 3_600_000

export type Counts = { readonly delivered: number; readonly failed: number; readonly left: number }

/** The job once it has ended; `seen` is called until then, with how far it is once that is known, and with what it waits for. @throws Failure */
export const watched = async (
  remote: Remote,
  kind: JobKind,
  { namespace, name }: ResourceName,
  seen: (counts: Counts | undefined, waits: string | undefined) => void,
): Promise<Watched> => {
  for (const until = performance.now() + endsWithinMs; performance.now() < until; await delay(lookEveryMs)) {
    const job: Watched | undefined = await remote.get(kind, namespace, name)
    if (job === undefined) throw new Failure(`${kind.singular}/${name} is gone: somebody deleted it`)
    if (endOf(job)) return job
    const waits = job.status?.conditions?.find(({ type, status }) => type === 'Progressing' && status === 'False')
    seen(job.status?.left === undefined ? undefined : countsOf(job), waits?.message)
  }
  throw new Failure(`${kind.singular}/${name} has not ended within a day`)
}

const countsOf = ({ status }: Watched): Counts => {
  const { delivered = 0, failed = 0, left = 0 } = status ?? {}
  return { delivered, failed, left }
}

export type Result = Counts & {
  /** Whether everything that matched was done. */
  readonly isDone: boolean
  /** Whether it ended because it may take no more. */
  readonly isLimited: boolean
  readonly message: string
}

/** How an ended job ended. */
export const resultOf = (job: Watched): Result => {
  const end = endOf(job)
  const counts = countsOf(job)
  const isLimited = end?.reason === 'MaxMessagesReached' && counts.left > 0
  const isDone = end?.type === 'Complete' && counts.failed === 0 && !isLimited
  return { ...counts, isDone, isLimited, message: end?.message ?? '' }
}

/** How to suspend a job, as the end of a sentence. */
export const suspending = ({ isCluster }: Remote, kind: JobKind, { namespace, name }: ResourceName): string =>
  isCluster
    ? `; to suspend it:\n  kubectl -n ${namespace} patch ${kind.singular}.waybill.dev ${name} --type merge -p '{"spec":{"suspend":true}}'`
    : `, for as long as waybill run does; to see how far it is:\n  ${called.name} get ${kind.singular} ${name} -n ${namespace}`

/** The command that lists what failed. */
export const failureWhere = ({ isCluster }: Remote, { namespace, name }: ResourceName): string =>
  `${called.name} dead-letters ls ${name} -n ${namespace}${isCluster && !called.isPlugin ? ' --kubernetes' : ''}`
