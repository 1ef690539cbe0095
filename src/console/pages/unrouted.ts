import type { Broker } from '../../api/kinds/broker.ts'
import type { Topic } from '../../api/kinds/topic.ts'
import { keyOf } from '../../api/resource.ts'
import { page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { table } from './parts.ts'

export type UnroutedOptions = {
  readonly viewer: Viewer
  /** `undefined` where the user may not see them. */
  readonly topics: readonly Topic[] | undefined
  readonly brokers: readonly Broker[] | undefined
}

const most = 60

/** What is parked because nobody is there for it, as far as statuses count it. */
export const unroutedPage = ({ viewer, topics, brokers }: UnroutedOptions): Html =>
  page({ title: 'Unrouted', viewer, at: 'unrouted' }, [
    html`<h1>Unrouted and orphaned</h1>
<p>Counts are those of the statuses: rounded, and as of the last look at the broker.</p>
<h2>Unrouted events</h2>
<p class="quiet">Events of a Topic that no Subscription wanted. They are parked, and nothing of them is lost.</p>`,
    topics === undefined
      ? notPermitted('Topics')
      : counts(
          topics.map((topic) => [keyOf(topic), topic.status?.unrouted]),
          'Topic',
          'Parked',
        ),
    html`<h2>Orphans</h2>
<p class="quiet">Messages that waited for their next attempt when their queue was deleted; they are in waybill.orphans.</p>`,
    brokers === undefined
      ? notPermitted('Brokers')
      : counts(
          brokers.map((broker) => [keyOf(broker), broker.status?.orphaned]),
          'Broker',
          'Orphaned',
        ),
  ])

const notPermitted = (what: string): Html => html`<p class="quiet">You may not list ${what}.</p>`

const counts = (rows: readonly (readonly [string, number | undefined])[], what: string, label: string): Html => {
  const some = rows.filter(([, count]) => (count ?? 0) > 0).toSorted(([, a = 0], [, b = 0]) => b - a)
  if (some.length === 0) return html`<p class="quiet">There are none.</p>`
  return table(
    some.slice(0, most).map(([name, count]) => [
      { label: what, value: html`<bdi>${text(name, 200)}</bdi>` },
      { label, value: number(count), isNumber: true },
    ]),
    label,
  )
}
