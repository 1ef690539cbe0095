import { mergeStats } from '../../delivery/stats.ts'
import type { Observation, Waiting, WorkerState } from './snapshot.ts'

/** What several replicas observe of one subscription, as if one had observed it; whatever their order. */
export const mergeObservations = (observations: readonly Observation[]): Observation => {
  const workers = observations.flatMap(({ worker }) => worker ?? [])
  return { stats: mergeStats(observations.map(({ stats }) => stats)), worker: mergeWorkers(workers) }
}

/** Workers of an older generation than the newest are about to end, so their states do not count. */
const mergeWorkers = (all: readonly WorkerState[]): WorkerState | undefined => {
  if (all.length === 0) return undefined
  const generation = Math.max(...all.map((worker) => worker.generation))
  const workers = all.filter((worker) => worker.generation === generation)
  const starting = workers.every((worker) => worker.starting)
  const consuming = workers.some(({ waiting }) => waiting === undefined)
  return {
    generation,
    starting,
    waiting: consuming ? undefined : mostSpecific(workers.filter((worker) => starting || !worker.starting)),
    blocked: workers.flatMap(({ blocked }) => blocked ?? []).toSorted()[0],
    unreadable: workers.flatMap(({ unreadable }) => unreadable ?? []).toSorted()[0],
    missing: workers.flatMap(({ missing }) => missing ?? []).toSorted()[0],
    gone: workers.some(({ gone }) => gone),
  }
}

/** A replica that reaches the broker knows better why nothing is consumed than one that does not. */
const mostSpecific = (workers: readonly WorkerState[]): Waiting | undefined =>
  workers.flatMap(({ waiting }) => waiting ?? []).toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]

const rank = ({ reason, message }: Waiting): string => `${reason === 'NoConsumer' ? 0 : 1} ${message}`
