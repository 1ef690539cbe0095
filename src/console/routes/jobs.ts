import type { Context } from 'hono'
import type { Job } from '../../api/job.ts'
import { discard } from '../../api/kinds/discard.ts'
import { replay } from '../../api/kinds/replay.ts'
import type { ResourceName } from '../../api/resource.ts'
import { jobPage, jobProgress } from '../pages/job.ts'
import { newestFirst, pageOf } from '../pages/job-parts.ts'
import { jobsPage } from '../pages/jobs.ts'
import { type JobPlural, paths } from '../pages/paths.ts'
import { ratePage } from '../pages/rate.ts'
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
  get('/replays/:namespace/:name/rate', async (visit, context) => {
    const asked = ratePage(viewerOf(visit), await jobOf(visit.backend, 'replays', namedIn(context.req.param())))
    if (asked === undefined) throw new BackendError(409, 'This Replay sends nothing any more, or has no rate.')
    return asked
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
      await backend.patch(kind, of, changeOf(job, what, form))
      return context.redirect(paths.job(plural, of), 303)
    })
  }
}

/** What a form changes of a job. @throws BackendError */
const changeOf = (job: Job, what: string | null, form: URLSearchParams) => {
  if (what === 'suspend' || what === 'resume') return { suspend: what === 'suspend' }
  if (what !== 'rate' || job.kind !== 'Replay') throw new BackendError(400, 'The form says nothing to do.')
  const requests = Number(form.get('rate'))
  if (!Number.isSafeInteger(requests) || requests < 1) {
    throw new BackendError(400, 'The rate must be a whole number above 0; nothing was changed.')
  }
  return { rate: { ...job.spec.rate, requests } }
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
