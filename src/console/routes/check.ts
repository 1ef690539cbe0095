import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import type { Job } from '../../api/job.ts'
import { discard } from '../../api/kinds/discard.ts'
import { type Replay, replay, toOf } from '../../api/kinds/replay.ts'
import type { ResourceName } from '../../api/resource.ts'
import { asCounted, filterIn, type Selector, selectorOf } from '../filter.ts'
import { type JobPlural, paths } from '../pages/paths.ts'
import { BackendError } from '../port.ts'
import type { Pages } from '../served.ts'
import type { Visit } from '../visit.ts'
import { jobOf } from './jobs.ts'
import { namedIn } from './subscription.ts'

/** Nothing is done before it was counted, and nothing else than what was counted: first a job that only counts, then one that acts. */
export const addCheck = ({ post }: Pages): void => {
  post('/subscriptions/:namespace/:name/check', async (visit, form, context) => {
    const of = namedIn(context.req.param())
    const [what = '', which] = (form.get('do') ?? '').split(' ')
    const selector = which === 'picked' ? picked(form) : selectorOf(filterIn(form, visit.nowMs))
    const plural = what === 'discard' ? 'discards' : 'replays'
    if (!['replay', 'discard', 'restore'].includes(what)) throw new BackendError(400, 'The form says nothing to do.')
    const spec = {
      ...{ subscriptionRef: { name: of.name }, selector, dryRun: true, requestedBy: visit.backend.user.name },
      ttlAfterFinished: countsLast,
      ...(what === 'discard' ? { reason: 'Only counted' } : {}),
      ...(what === 'restore' ? { to: 'DeadLetters' } : {}),
    }
    const name = `${of.name.slice(0, 200)}-${randomBytes(4).toString('hex')}${counts}`
    return created(visit, context, plural, { namespace: of.namespace, name }, spec)
  })

  for (const plural of ['replays', 'discards'] as const) {
    post(`/${plural}/:namespace/:name/confirm`, async (visit, form, context) => {
      const job = await jobOf(visit.backend, plural, namedIn(context.req.param()))
      const count = Number(form.get('count'))
      const isCounted = job.spec.dryRun && job.status?.cutoff !== undefined && count === job.status.matched && count > 0
      // What is confirmed is what was seen: both travel in the form.
      if (!isCounted || form.get('cutoff') !== job.status?.cutoff) {
        throw new BackendError(409, 'This is not what was counted, so nothing was done: count once more.')
      }
      const { namespace, name } = job.metadata
      const selector = confirmedSelector(job)
      const spec = {
        ...{ ...refsOf(job), selector, maxMessages: count, requestedBy: visit.backend.user.name },
        ...(job.kind === 'Discard' ? { reason: (form.get('why') ?? '').trim() } : replayFields(job, form)),
      }
      // The same name each time: a form that is sent twice begins one job.
      return created(visit, context, plural, { namespace, name: confirmedName(name) }, spec)
    })
  }
}

/** What only counts is of no use for long, and has a name of its own. */
const [countsLast, counts] = ['1h', '-count']

const confirmedName = (name: string): string =>
  name.endsWith(counts) ? name.slice(0, -counts.length) : `${name.slice(0, 240)}-confirmed`

/** The same source. */
const refsOf = ({ spec }: Job): object =>
  Object.fromEntries(
    Object.entries(spec).filter(([name]) => ['subscriptionRef', 'queueRef', 'topicRef', 'orphans'].includes(name)),
  )

const picked = (form: URLSearchParams): Selector => {
  const ids = [...new Set(form.getAll('pick'))]
  if (ids.length === 0)
    throw new BackendError(400, 'No dead letter is selected: go back and select some, or choose all matching.')
  return { ids }
}

/**
 * What was discarded keeps the time of its death, so a count of it says nothing of what is discarded later, and what is parked
 * has no time: the number limits it.
 */
const confirmedSelector = (job: Job): Selector => {
  const { all, ...rest } = job.spec.selector
  const selector = all ? { all } : rest
  const isRestore = job.kind === 'Replay' && toOf(job.spec) === 'DeadLetters'
  return isRestore || job.spec.topicRef ? selector : asCounted(selector, job.status?.cutoff ?? '')
}

/** Empty fields are those that nobody filled in. */
const replayFields = ({ spec }: Replay, form: URLSearchParams) => {
  const counted = toOf(spec)
  if (counted !== 'Subscriber') return { to: counted, ...(spec.target ? { target: spec.target } : {}) }
  const number = (name: string): number | undefined => {
    const text = (form.get(name) ?? '').trim()
    return text === '' ? undefined : Number(text)
  }
  const [canary, rate, abort] = [number('canary'), number('rate'), number('abort')]
  const isDirect = form.get('to') !== 'Queue'
  return {
    to: isDirect ? 'Subscriber' : 'Queue',
    ...(canary && isDirect ? { canary: { messages: canary } } : {}),
    ...(rate === undefined ? {} : { rate: { requests: rate } }),
    ...(abort === undefined || !isDirect ? {} : { abortOn: { failureRatePercent: abort } }),
  }
}

const created = async (
  { backend }: Visit,
  context: Context,
  plural: JobPlural,
  job: ResourceName,
  spec: Readonly<Record<string, unknown>>,
): Promise<Response> => {
  const kind = plural === 'replays' ? replay : discard
  if ((await backend.get(kind, job)) === undefined) await backend.create(kind, { metadata: job, spec })
  return context.redirect(paths.job(plural, job), 303)
}
