import type { Finding } from './check.ts'
import type { Content, Found } from './history.ts'
import { deliveredAt, type Journey, type Journeys } from './journeys.ts'

/** Rules about where messages are in the end, and what they hold. */

/** What must come was delivered or is kept; so is whatever was tried once, and what nobody wants. */
export const lost = (journeys: Journeys): Finding[] => [
  ...journeys.all.flatMap((journey) => {
    const { message, expected, id, isConfirmed, tries, found } = journey
    if (message === undefined || expected === 'must not') return []
    if (tries.length === 0 && (!isConfirmed || expected === 'may')) return []
    if (deliveredAt(journey) !== undefined || found.length > 0) return []
    const last = tries.at(-1)
    const end = last
      ? `its last attempt was ${last.request.attempt}, answered ${last.answer?.status ?? 'nothing'}`
      : 'it was never tried'
    return [finding(journey, 'lost', `${id} was published at ${message.at} and is nowhere: ${end}`)]
  }),
  ...unkept(journeys),
]

const unkept = ({ all, elsewhere, messages, confirmed, parks }: Journeys): Finding[] => {
  const isSeen = ({ expected, tries, found }: Journey) =>
    expected !== 'must not' || tries.length > 0 || found.length > 0
  const wanted = new Set(all.filter(isSeen).map(({ id }) => id))
  const kept = new Set(elsewhere.map(({ id }) => id))
  return [...messages.values()]
    .filter(({ id, exchange }) => confirmed.has(id) && parks(exchange) && !wanted.has(id) && !kept.has(id))
    .map(({ id, at }) => ({
      fault: 'lost',
      id,
      text: `${id}, which nobody wants, was published at ${at} and is not kept`,
    }))
}

export const invented = ({ all, strays, elsewhere, messages }: Journeys): Finding[] => [
  ...all.flatMap((journey) => {
    const { terms, message, expected, id, tries, found } = journey
    if (tries.length === 0 && found.length === 0) return []
    if (expected !== 'must not') return []
    const why = message ? `is not for ${terms.subscription}` : 'was never published'
    return [finding(journey, 'invented', `${id} ${why}, and was ${tries.length > 0 ? 'delivered' : 'found'} there`)]
  }),
  ...strays.map(
    ({ id, subscription = '' }): Finding => ({
      ...{ fault: 'invented', id, subscription, text: `${id} is at ${subscription}, which does not exist` },
    }),
  ),
  ...elsewhere
    .filter(({ id }) => !messages.has(id))
    .map(({ id, queue }): Finding => ({ fault: 'invented', id, text: `${id} is in ${queue} and was never published` })),
  ...misplaced({ all, elsewhere, messages }),
]

/** Messages among those that nobody wants, although somebody wants them, or of another topic. */
const misplaced = ({ all, elsewhere, messages }: Pick<Journeys, 'all' | 'elsewhere' | 'messages'>): Finding[] => {
  const wanted = new Map(all.filter(({ expected }) => expected === 'must').map(({ id, terms }) => [id, terms]))
  return elsewhere
    .filter(({ role }) => role === 'unrouted')
    .flatMap(({ id, queue, exchange }): Finding[] => {
      const by = wanted.get(id)
      if (by) return [{ fault: 'invented', id, text: `${id} is in ${queue}, and is for ${by.subscription}` }]
      const origin = messages.get(id)?.exchange ?? exchange
      return origin === exchange ? [] : [{ fault: 'invented', id, text: `${id} of ${origin} is in ${queue}` }]
    })
}

export const changed = ({ all, elsewhere, messages }: Journeys): Finding[] => [
  ...all.flatMap((journey) => {
    const { message, id, tries, found } = journey
    if (message === undefined) return []
    const contents = [
      ...tries.map(({ request }) => ({ where: `attempt ${request.attempt}`, content: request.content })),
      ...found.map(({ queue, content }) => ({ where: queue, content })),
    ]
    for (const { where, content } of contents) {
      const what = differenceOf(message.content, content)
      if (what) return [finding(journey, 'changed', `${what} of ${id} is another one in ${where}`)]
    }
    const sent = new Set(tries.flatMap(({ request }) => request.sent ?? []))
    return sent.size > 1 ? [finding(journey, 'changed', `${id} was sent in ${sent.size} different ways`)] : []
  }),
  ...elsewhere.flatMap(({ id, queue, content }): Finding[] => {
    const what = differenceOf(messages.get(id)?.content ?? content, content)
    return what ? [{ fault: 'changed', id, text: `${what} of ${id} is another one in ${queue}` }] : []
  }),
]

/** What differs; what one side does not know is not compared. */
const differenceOf = (published: Content, seen: Content): string | undefined => {
  if (published.body !== undefined && seen.body !== undefined && published.body !== seen.body) return 'the body'
  const header = differentName(published.headers, seen.headers)
  if (header !== undefined) return `the header ${header}`
  const property = differentName(published.properties, seen.properties)
  if (property !== undefined) return `the property ${property}`
  const attribute = differentName(published.attributes, seen.attributes)
  return attribute === undefined ? undefined : `the attribute ${attribute}`
}

const differentName = (published: Content['headers'], seen: Content['headers']): string | undefined => {
  if (published === undefined || seen === undefined) return undefined
  const names = new Set([...Object.keys(published), ...Object.keys(seen)])
  return [...names].find((each) => published[each] !== seen[each])
}

const unfinishedIn: ReadonlySet<Found['role']> = new Set(['source', 'retry', 'level', 'orphans'])

export const unfinished = ({ all }: Journeys): Finding[] =>
  all.flatMap((journey) => {
    const waiting = journey.found.find(({ role }) => unfinishedIn.has(role))
    return waiting ? [finding(journey, 'unfinished', `${journey.id} still waits in ${waiting.queue}`)] : []
  })

export const finding = ({ id, terms }: Journey, fault: Finding['fault'], text: string): Finding => ({
  ...{ fault, id, subscription: terms.subscription, text: `${terms.subscription}: ${text}` },
})
