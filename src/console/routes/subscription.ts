import { sourceOf } from '../../api/job.ts'
import { discard } from '../../api/kinds/discard.ts'
import { replay } from '../../api/kinds/replay.ts'
import { subscription } from '../../api/kinds/subscription.ts'
import type { ResourceName } from '../../api/resource.ts'
import type { May } from '../pages/groups.ts'
import { newestFirst } from '../pages/job-parts.ts'
import { subscriptionPage } from '../pages/subscription.ts'
import { type Backend, BackendError } from '../port.ts'
import type { Pages } from '../served.ts'
import { viewerOf } from '../visit.ts'
import { orNothing, unlessForbidden } from './overview.ts'

/** Which buttons this user gets. */
export const mayIn = async (backend: Backend, namespace: string): Promise<May> => {
  const [mayReplay, mayDiscard] = await Promise.all([
    backend.may({ verb: 'create', resource: 'replays', namespace }),
    backend.may({ verb: 'create', resource: 'discards', namespace }),
  ])
  return { replay: mayReplay, discard: mayDiscard }
}

/** Both kinds of job of a namespace, or of all; `undefined` where the user may see neither. */
export const jobsIn = async (backend: Backend, namespace?: string) => {
  const [replays, discards] = await Promise.all([
    unlessForbidden(backend.list(replay, namespace)),
    unlessForbidden(backend.list(discard, namespace)),
  ])
  return replays === undefined && discards === undefined ? undefined : [...(replays ?? []), ...(discards ?? [])]
}

export const namedIn = (params: Record<string, string>): ResourceName => ({
  namespace: params.namespace ?? '',
  name: params.name ?? '',
})

export const addSubscription = ({ get }: Pages): void => {
  get('/subscriptions/:namespace/:name', async (visit, context) => {
    const { backend, nowMs } = visit
    const of = namedIn(context.req.param())
    const [found, jobs, may, hours] = await Promise.all([
      backend.get(subscription, of),
      jobsIn(backend, of.namespace),
      mayIn(backend, of.namespace),
      orNothing(backend.hours(of.namespace, of.name)),
    ])
    if (found === undefined) throw new BackendError(404, `There is no Subscription ${of.namespace}/${of.name}.`)
    const own =
      jobs && newestFirst(jobs.filter((job) => sourceOf(job).kind === 'Subscription' && sourceOf(job).name === of.name))
    return subscriptionPage({ viewer: viewerOf(visit), nowMs, subscription: found, jobs: own, may, hours })
  })
}
