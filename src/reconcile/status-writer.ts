import { isDeepStrictEqual } from 'node:util'
import { type Condition, stamp, type Verdict, writtenBy } from '../api/conditions.ts'
import { jobKinds, kindOf } from '../api/kinds/kinds.ts'
import { generationOf } from '../api/readiness.ts'
import { idOf, type Kind, type Resource } from '../api/resource.ts'
import { isObject } from '../api/schema/json.ts'
import type { Schema } from '../api/schema/schema.ts'
import { noticesOf } from '../store/notices.ts'
import type { FieldManager, Store } from '../store/store.ts'
import type { Metrics } from '../telemetry/metrics.ts'

const none: ReadonlySet<string> = new Set()
const jobNames: ReadonlySet<string> = new Set(jobKinds.map(({ kind }) => kind))

/** What a process reports of one resource: the fields of its status that the process writes, and its conditions. */
export type Report = {
  readonly resource: Resource
  readonly fields: Readonly<Record<string, unknown>>
  readonly verdicts: readonly Verdict[]
}

/** What became of a report: `later` means that only counts changed, too soon after the last write. */
export type Written = 'written' | 'same' | 'later'

/** A change of meaning is written at once, a change of counts at most this often an object. */
export const countsEveryMs = 10_000

/** Writes reports into statuses that differ from them, and records each change of a condition as an Event. */
export const statusWriter = (
  store: Store,
  metrics: Pick<Metrics, 'statusWrites'>,
  manager: FieldManager,
  now: () => Date,
) => {
  const others = writtenBy(manager === 'waybill-operator' ? 'dispatcher' : 'operator')
  const lastWrite = new Map<string, number>()

  const write = async ({ resource, fields, verdicts }: Report): Promise<Written> => {
    const kind = kindOf(resource)
    const current = store.get(kind, resource.metadata.namespace, resource.metadata.name)
    if (current?.metadata.uid !== resource.metadata.uid) return 'same'
    // Nobody else writes the status of a Replay or a Discard.
    const foreign = jobNames.has(kind.kind) ? none : others
    const before = (current.status?.conditions ?? []).filter(({ type }) => !foreign.has(type))
    // The report is about the generation that was reconciled, even when a newer one has arrived meanwhile.
    const { generation } = resource.metadata
    const id = idOf(resource)
    const conditions = stamp(verdicts, before, generation, now())
    const about = { observedGeneration: generation, ...generationOf(conditions) }
    const conditionsSame = sameConditions(before, conditions)
    const status: Record<string, unknown> = current.status ?? {}
    const changed = Object.entries(fields).filter(([name, value]) => !isSame(kind, name, status[name], value))
    if (conditionsSame && changed.length === 0 && status.observedGeneration === about.observedGeneration) return 'same'
    const at = now().getTime()
    // Texts say what is so: the queue that was proved, the policy in force. Only what is counted can wait.
    const onlyCounts = changed.every(([, value]) => typeof value !== 'string')
    if (conditionsSame && onlyCounts && at - (lastWrite.get(id) ?? 0) < countsEveryMs) return 'later'
    lastWrite.set(id, at)
    await store.applyStatus(kind, current, manager, {
      ...about,
      ...fields,
      conditions,
    })
    metrics.statusWrites.inc({ manager })
    for (const notice of noticesOf(before, conditions)) store.record(current, notice)
    return 'written'
  }

  return {
    /** Writes all that it can. @throws the first error of those that it could not write */
    async writeAll(reports: readonly Report[]): Promise<Written[]> {
      const results = await Promise.allSettled(reports.map(write))
      return results.map((result) => {
        if (result.status === 'rejected') throw result.reason
        return result.value
      })
    },
    /** Forgets the resource with this id, which is gone. */
    forget: (id: string) => lastWrite.delete(id),
  }
}

export type StatusWriter = ReturnType<typeof statusWriter>

/** Of a field that several managers write, what others wrote does not count. */
const isSame = (kind: Kind, name: string, before: unknown, value: unknown): boolean => {
  const schema: Schema | undefined = kind.status.properties[name]
  const isShared = schema?.type === 'object' && schema['x-kubernetes-map-type' as never] === 'granular'
  if (!isShared || !isObject(before) || !isObject(value)) return isDeepStrictEqual(before, value)
  return Object.entries(value).every(([key, part]) => isDeepStrictEqual(before[key], part))
}

const sameConditions = (before: readonly Condition[], after: readonly Condition[]): boolean =>
  before.length === after.length &&
  after.every((condition) =>
    before.some(
      (old) =>
        old.type === condition.type &&
        old.status === condition.status &&
        old.reason === condition.reason &&
        old.message === condition.message &&
        old.observedGeneration === condition.observedGeneration,
    ),
  )
