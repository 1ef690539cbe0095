import { isTrue } from '../../api/conditions.ts'
import type { Broker } from '../../api/kinds/broker.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import { keyOf } from '../../api/resource.ts'
import { sparkline } from '../drawings/sparkline.ts'
import type { Hours } from '../port.ts'
import { page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { type Cell, lead, table, whether } from './parts.ts'
import { paths } from './paths.ts'
import { ago } from './time.ts'

export type OverviewOptions = {
  readonly viewer: Viewer
  readonly nowMs: number
  /** All of them where it is left out. */
  readonly namespace: string | undefined
  readonly subscriptions: readonly Subscription[]
  /** `undefined` where the user may not see them. */
  readonly brokers: readonly Broker[] | undefined
  /** Which part of the subscriptions is shown, from 1. */
  readonly part: number
  /** The last hour, by namespace; where it is not known, nothing is drawn. */
  readonly hours: ReadonlyMap<string, Hours>
}

/** A page has so many subscriptions, so that it stays small. */
export const subscriptionsOnPage = 10

/** What there is, and how it is; what needs somebody comes first. */
export const overviewPage = (options: OverviewOptions): Html => {
  const { viewer, namespace, subscriptions, brokers, part } = options
  const dead = subscriptions.reduce((sum, each) => sum + deadOf(each), 0)
  const ready = subscriptions.filter(({ status }) => isTrue(status?.conditions, 'Ready')).length
  const shown = partOf(subscriptions, part)
  return page({ title: 'Overview', viewer, at: 'overview' }, [
    html`<h1>Overview${namespace === undefined ? '' : html` <small>namespace <bdi>${text(namespace, 63)}</bdi> · <a href="${paths.overview}">all</a></small>`}</h1>`,
    lead([
      ['Subscriptions', number(subscriptions.length)],
      ['Ready', number(ready)],
      ['Dead letters', number(dead)],
    ]),
    shown.length === 0
      ? html`<p class="quiet">There are no Subscriptions here.</p>`
      : subscriptionTables(shown, options),
    pager(subscriptions.length, part, namespace),
    brokers === undefined
      ? html`<h2>Brokers</h2><p class="quiet">You may not list Brokers.</p>`
      : brokerTable(brokers, options),
  ])
}

/** What is shown of all: see {@link byUrgency}. */
export const partOf = (subscriptions: readonly Subscription[], part: number): Subscription[] =>
  byUrgency(subscriptions).slice((part - 1) * subscriptionsOnPage, part * subscriptionsOnPage)

/** What needs somebody first: namespaces as a whole, so that each is in one place, and the subscriptions of each. */
const byUrgency = (subscriptions: readonly Subscription[]): Subscription[] => {
  const groups = [...Map.groupBy(subscriptions, ({ metadata }) => metadata.namespace)]
  const sum = (of: readonly Subscription[], value: (each: Subscription) => number): number =>
    of.reduce((all, each) => all + value(each), 0)
  return groups
    .toSorted(
      ([a, of], [b, others]) =>
        sum(others, trouble) - sum(of, trouble) || sum(others, deadOf) - sum(of, deadOf) || (a < b ? -1 : 1),
    )
    .flatMap(([, of]) =>
      of.toSorted((a, b) => trouble(b) - trouble(a) || deadOf(b) - deadOf(a) || (keyOf(a) < keyOf(b) ? -1 : 1)),
    )
}

const trouble = ({ status }: Subscription): number => (isTrue(status?.conditions, 'Ready') ? 0 : 1)
const deadOf = ({ status }: Subscription): number => status?.deadLetters?.count ?? 0

const subscriptionTables = (shown: readonly Subscription[], options: OverviewOptions): Html[] =>
  [...Map.groupBy(shown, ({ metadata }) => metadata.namespace)].map(
    ([namespace, own]) =>
      html`<h2><a href="${paths.overview}?${new URLSearchParams({ namespace })}"><bdi>${text(namespace, 63)}</bdi></a></h2>${table(
        own.map((subscription) => subscriptionRow(subscription, options)),
        text(`Subscriptions in ${namespace}`),
      )}`,
  )

const drawn = ({ metadata: { namespace, name } }: Subscription, hours: OverviewOptions['hours']): Html | string => {
  const of = hours.get(namespace)
  return of ? sparkline(of.get(name)) : ''
}

const subscriptionRow = (subscription: Subscription, { nowMs, hours }: OverviewOptions): Cell[] => {
  const { metadata, status } = subscription
  const { deadLetters } = status ?? {}
  const count = deadLetters?.count ?? 0
  const [largest] = deadLetters?.groups ?? []
  return [
    {
      label: 'Subscription',
      value: html`<a href="${paths.subscription(metadata)}"><bdi>${text(metadata.name, 80)}</bdi></a>`,
    },
    { label: 'Ready', value: whether(status?.conditions, 'Ready') },
    { label: 'Delivering', value: whether(status?.conditions, 'Delivering') },
    { label: 'Last hour', value: drawn(subscription, hours) },
    { label: 'Backlog', value: number(status?.backlog?.ready), isNumber: true },
    {
      label: 'Dead',
      value: count === 0 ? number(deadLetters?.count) : html`<a href="${paths.letters(metadata)}">${number(count)}</a>`,
      isNumber: true,
    },
    { label: 'Oldest dead', value: count === 0 ? '' : ago(deadLetters?.oldest, nowMs) },
    {
      label: 'Most of them',
      value:
        largest === undefined
          ? ''
          : html`${number(largest.count)} × ${text(largest.reason, 40)}${largest.statusCode === undefined ? '' : ` ${largest.statusCode}`}`,
    },
  ]
}

const pager = (count: number, part: number, namespace: string | undefined): Html => {
  const parts = Math.ceil(count / subscriptionsOnPage)
  if (parts <= 1) return html``
  const to = (wanted: number): string =>
    `${paths.overview}?${new URLSearchParams({ ...(namespace === undefined ? {} : { namespace }), part: String(wanted) })}`
  return html`<nav class="actions" aria-label="Parts of the list">${part > 1 && html`<a class="button" rel="prev" href="${to(part - 1)}">Previous</a>`}<span class="quiet">Part ${part} of ${parts}</span>${part < parts && html`<a class="button" rel="next" href="${to(part + 1)}">Next</a>`}</nav>`
}

const brokerTable = (brokers: readonly Broker[], { nowMs }: OverviewOptions): Html => {
  if (brokers.length === 0) return html``
  return html`<h2>Brokers</h2>${table(
    brokers.map(({ metadata, status }) => [
      { label: 'Broker', value: html`<bdi>${text(keyOf({ metadata }), 120)}</bdi>` },
      { label: 'Ready', value: whether(status?.conditions, 'Ready') },
      { label: 'RabbitMQ', value: text(status?.version, 20) },
      { label: 'Delayed', value: number(status?.delayed), isNumber: true },
      { label: 'Orphaned', value: number(status?.orphaned), isNumber: true },
      { label: 'Age', value: ago(metadata.creationTimestamp, nowMs) },
    ]),
    'Brokers',
  )}`
}
