import { endOf, type Job, sourceOf } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { keyFrom } from '../../api/resource.ts'
import { type Html, html, number, text } from './markup.ts'
import { conditionOf, state, table } from './parts.ts'
import { type JobPlural, paths } from './paths.ts'
import { ago } from './time.ts'

export const pluralOf = (job: Job): JobPlural => (job.kind === 'Replay' ? 'replays' : 'discards')

const sourceText = (job: Job): string => {
  const { kind, name } = sourceOf(job)
  const key = keyFrom(job.metadata.namespace, name)
  return kind === 'Subscription' ? key : kind === 'Broker' ? `Orphans of ${key}` : `${kind} ${key}`
}

/** What a job takes. */
export const nounOf = ({ spec }: Job): string =>
  spec.topicRef ? 'parked event' : spec.orphans ? 'orphan' : 'dead letter'

/** The page that a job belongs to. */
export const pageOf = (job: Job): string => {
  const { kind, name } = sourceOf(job)
  return kind === 'Subscription' ? paths.subscription({ namespace: job.metadata.namespace, name }) : paths.unrouted
}

/** Where a job is, in one word and a sentence. */
export const outcomeOf = (job: Job): { readonly word: Html; readonly message: string } => {
  const { status, spec } = job
  const end = endOf(job)
  if (end?.type === 'Failed') return { word: state(end.reason, 'bad'), message: end.message }
  if (end) {
    const isWhole = (status?.failed ?? 0) === 0
    return { word: state(spec.dryRun ? 'Counted' : 'Complete', isWhole ? 'good' : 'warn'), message: end.message }
  }
  const progressing = conditionOf(status?.conditions, 'Progressing')
  if (spec.suspend) return { word: state('Suspended', 'warn'), message: 'Nothing more is taken until it is resumed.' }
  if (progressing === undefined) return { word: state('Waiting', ''), message: 'No dispatcher has seen it yet.' }
  if (progressing.status === 'False') return { word: state(progressing.reason, 'warn'), message: progressing.message }
  return { word: state('Running', ''), message: progressing.message }
}

/** How much of a job is done, drawn. */
export const progressBar = ({ status }: Job): Html => {
  const { matched = 0, delivered = 0, failed = 0 } = status ?? {}
  if (matched === 0) return html``
  const [done, again] = [(100 * Math.min(delivered, matched)) / matched, (100 * Math.min(failed, matched)) / matched]
  return html`<svg class="progress" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="${Math.round(done)} % done, ${Math.round(again)} % failed again"><rect class="done" x="0" y="0" width="${done.toFixed(2)}" height="8"/><rect class="failed" x="${done.toFixed(2)}" y="0" width="${again.toFixed(2)}" height="8"/></svg>`
}

/** Jobs, the newest first; those that only count are left out. */
export const newestFirst = (jobs: readonly Job[]): Job[] =>
  jobs
    .filter(({ spec }) => !spec.dryRun)
    .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))

export const jobTable = (jobs: readonly Job[], nowMs: number, caption: string): Html =>
  table(
    jobs.map((job) => {
      const { metadata, spec, status } = job
      return [
        {
          label: 'Name',
          value: html`<a href="${paths.job(pluralOf(job), metadata)}"><bdi>${text(metadata.name, 80)}</bdi></a>`,
        },
        { label: 'What', value: whatOf(job) },
        { label: 'Of', value: html`<bdi>${text(sourceText(job), 100)}</bdi>` },
        { label: 'State', value: outcomeOf(job).word },
        { label: 'Matched', value: number(status?.matched), isNumber: true },
        { label: 'Done', value: number(status?.delivered), isNumber: true },
        { label: 'Failed again', value: number(status?.failed), isNumber: true },
        { label: 'By', value: html`<bdi>${text(spec.requestedBy, 40)}</bdi>` },
        { label: 'Begun', value: html`${ago(metadata.creationTimestamp, nowMs)}` },
      ]
    }),
    caption,
  )

/** What a job does, in a word. */
export const whatOf = (job: Job): string => {
  if (job.kind === 'Discard') return 'Discard'
  const words = { Subscriber: 'Replay', Queue: 'Replay to queue', Topic: 'Replay to topic', DeadLetters: 'Restore' }
  return words[toOf(job.spec)]
}
