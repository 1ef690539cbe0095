import type { Condition } from '../../api/conditions.ts'
import type { Job } from '../../api/job.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import type { LastHour } from '../../delivery/last-hour.ts'
import { hourCaption, sparkline } from '../drawings/sparkline.ts'
import type { Hours } from '../port.ts'
import { type GroupsOptions, groupCards, type May } from './groups.ts'
import { jobTable } from './job-parts.ts'
import { formToken, page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { facts, lead, state, table, whether } from './parts.ts'
import { paths } from './paths.ts'
import { ago, moment } from './time.ts'

export type SubscriptionOptions = {
  readonly viewer: Viewer
  readonly nowMs: number
  readonly subscription: Subscription
  /** The newest first; `undefined` where the user may not see them. */
  readonly jobs: readonly Job[] | undefined
  readonly may: May
  /** `undefined` where it is not known. */
  readonly hours: Hours | undefined
}

const mostJobs = 10

/** One subscription: how it is, why letters of it are dead, and what was done about that. */
export const subscriptionPage = (options: SubscriptionOptions): Html => {
  const { viewer, nowMs, subscription, jobs, hours } = options
  const { metadata, spec, status } = subscription
  const { deadLetters } = status ?? {}
  const count = deadLetters?.count ?? 0
  return page({ title: metadata.name, viewer, trail: trailOf(metadata.namespace) }, [
    html`<h1><bdi>${text(metadata.name, 253)}</bdi> <small>Subscription</small></h1>`,
    lead([
      ['Ready', whether(status?.conditions, 'Ready'), true],
      ['Backlog', number(status?.backlog?.ready)],
      ['In flight', number(status?.backlog?.inFlight)],
      ['Delivered', number(status?.delivery?.delivered)],
      [
        'Dead letters',
        count === 0 ? number(deadLetters?.count) : html`<a href="${paths.letters(metadata)}">${number(count)}</a>`,
      ],
      ['Oldest of them', count === 0 ? '–' : ago(deadLetters?.oldest, nowMs), true],
    ]),
    hours && lastHour(hours.get(metadata.name)),
    html`<h2>Dead letters${count > 0 && html`<span class="count">${number(count)}</span>`}</h2>`,
    deadLetterParts(options),
    html`<h2>Conditions</h2>`,
    conditionTable(status?.conditions ?? [], nowMs),
    lastFailure(status?.delivery?.lastFailure),
    html`<h2>Replays and Discards</h2>`,
    jobParts(jobs, metadata.namespace, nowMs),
    html`<details><summary>Where it is delivered</summary>${facts([
      ['Subscriber', targetOf(spec.subscriber)],
      ['Queue', status?.queue],
      ['Retry queue', status?.retryQueue],
      ['Dead-letter queue', status?.deadLetterQueue],
    ])}</details>`,
  ])
}

const lastHour = (hour: LastHour | undefined): Html =>
  html`<figure>${sparkline(hour, { size: 'large' })}<figcaption class="quiet">${hourCaption(hour)}</figcaption></figure>`

export const trailOf = (namespace: string) =>
  [
    ['Overview', paths.overview],
    [namespace, `${paths.overview}?${new URLSearchParams({ namespace })}`],
  ] as const

/** Without what could be a secret in it: a query, or a user and password. */
const targetOf = ({ url, serviceRef }: Subscription['spec']['subscriber']): string => {
  if (url === undefined) return serviceRef === undefined ? '' : `Service ${serviceRef.name}`
  if (!URL.canParse(url)) return ''
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

const deadLetterParts = ({ viewer, nowMs, subscription, may }: SubscriptionOptions): Html => {
  const { metadata, status } = subscription
  const { deadLetters } = status ?? {}
  const options: GroupsOptions = { viewer, may, nowMs }
  const restore = html`<form class="actions" method="post" action="${paths.check(metadata)}">${formToken(viewer)}<button class="plain" name="do" value="restore"${!may.replay && html` disabled`}>Restore what was discarded …</button></form>`
  if ((deadLetters?.count ?? 0) === 0) return html`<p class="quiet">There are none.</p>${restore}`
  const groups = deadLetters?.groups ?? []
  return html`${groups.length === 0 ? html`<p class="quiet">Nobody has looked at them yet: their groups come with the next look.</p>` : groupCards(metadata, deadLetters ?? {}, options)}
<div class="actions"><a class="button" href="${paths.letters(metadata)}">Show all</a>${restore}</div>`
}

const conditionTable = (conditions: readonly Condition[], nowMs: number): Html => {
  if (conditions.length === 0) return html`<p class="quiet">Nobody has reported on it yet.</p>`
  return table(
    conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
      { label: 'Condition', value: text(type, 60) },
      { label: 'Status', value: state(status, toneOf(type, status)) },
      { label: 'Reason', value: text(reason, 60) },
      { label: 'Message', value: html`<bdi>${text(message, 600)}</bdi>` },
      { label: 'Since', value: ago(lastTransitionTime, nowMs) },
    ]),
    'Conditions',
  )
}

/** Those that should hold; all others report trouble. */
const wanted: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs', 'Programmed', 'Ready', 'Delivering'])

const toneOf = (type: string, status: Condition['status']) => {
  if (status === 'Unknown') return 'warn'
  return (status === 'True') === wanted.has(type) ? 'good' : 'bad'
}

type Failure = NonNullable<NonNullable<NonNullable<Subscription['status']>['delivery']>['lastFailure']>

const lastFailure = (failure: Failure | undefined): Html =>
  failure === undefined
    ? html``
    : html`<h2>Last failed attempt</h2>${facts([
        ['When', moment(failure.time)],
        ['Status', failure.statusCode],
        ['Why', failure.message ?? failure.reason],
      ])}`

const jobParts = (jobs: readonly Job[] | undefined, namespace: string, nowMs: number): Html => {
  if (jobs === undefined) return html`<p class="quiet">You may not list them here.</p>`
  if (jobs.length === 0) return html`<p class="quiet">There are none.</p>`
  return html`${jobTable(jobs.slice(0, mostJobs), nowMs, 'Replays and Discards')}${jobs.length > mostJobs && html`<p><a href="${paths.jobs}?${new URLSearchParams({ namespace })}">All of them</a></p>`}`
}
