import type { Context } from 'hono'
import type { Job } from '../../api/job.ts'
import { discard } from '../../api/kinds/discard.ts'
import { replay } from '../../api/kinds/replay.ts'
import type { ResourceName } from '../../api/resource.ts'
import { jobPage, jobProgress } from '../pages/job.ts'
import { newestFirst, pageOf } from '../pages/job-parts.ts'
import { jobsPage } from '../pages/jobs.ts'
import { type JobPlural, paths } from '../pages/paths.ts'
import { whichNamespacePage } from '../pages/which-namespace.ts'
import { type Backend, BackendError } from '../port.ts'
import type { Pages } from '../served.ts'
import { type Visit, viewerOf } from '../visit.ts'
import { jobsIn, namedIn } from './subscription.ts'

/** @throws BackendError where it does not exist */
export const jobOf = async (backend: Backend, plural: JobPlural, of: ResourceName): Promise<Job> => {
  const found: Job | undefined = await (plural === 'replays' ? backend.get(replay, of) : backend.get(discard, of))
  if (found === undefined) throw new BackendError(404, `${of.namespace}/${of.name} does not exist, or was removed.`)
  return found
}

export const addJobs = ({ get, post }: Pages): void => {
  get('/jobs', async (visit, context) => {
    const namespace = context.req.query('namespace') || undefined
    const jobs = await jobsIn(visit.backend, namespace)
    if (jobs === undefined && namespace === undefined) return whichNamespacePage(viewerOf(visit), 'jobs')
    if (jobs === undefined) throw new BackendError(403, `You may not list Replays and Discards of ${namespace}.`)
    return jobsPage({ viewer: viewerOf(visit), nowMs: visit.nowMs, jobs: newestFirst(jobs) })
  })
  for (const plural of ['replays', 'discards'] as const) {
    get(`/${plural}/:namespace/:name`, async (visit, context) => jobPage(await shown(visit, context, plural)))
    get(`/${plural}/:namespace/:name/progress`, async (visit, context) =>
      jobProgress(await shown(visit, context, plural)),
    )
    post(`/${plural}/:namespace/:name/do`, async (visit, form, context) => {
      const { backend } = visit
      const of = namedIn(context.req.param())
      const kind = plural === 'replays' ? replay : discard
      const job = await jobOf(backend, plural, of)
      const what = form.get('do')
      if (what === 'cancel') {
        await backend.remove(kind, of)
        return context.redirect(pageOf(job), 303)
      }
      if (what !== 'suspend' && what !== 'resume') throw new BackendError(400, 'The form says nothing to do.')
      await backend.patch(kind, of, { suspend: what === 'suspend' })
      return context.redirect(paths.job(plural, of), 303)
    })
  }
}

const shown = async (visit: Visit, context: Context, plural: JobPlural) => {
  const { backend, nowMs } = visit
  const of = namedIn(context.req.param())
  const { namespace } = of
  const may = (verb: string) => backend.may({ verb, resource: plural, namespace })
  const [job, create, patch, remove] = await Promise.all([
    jobOf(backend, plural, of),
    ...['create', 'patch', 'delete'].map(may),
  ])
  return {
    viewer: viewerOf(visit),
    nowMs,
    job,
    may: { create: create === true, patch: patch === true, remove: remove === true },
  }
}
