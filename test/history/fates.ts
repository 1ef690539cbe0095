import type { Finding } from './check.ts'
import type { Content } from './history.ts'
import { deliveredAt, disturbing, type Journey, type Journeys, settlingMs } from './journeys.ts'

/** Rules about where messages are in the end, and what they hold. */

export const lost = ({ all }: Journeys): Finding[] =>
  all.flatMap((journey) => {
    const { message, expected, id, isConfirmed, tries, found } = journey
    if (!isConfirmed || message === undefined || expected !== 'must') return []
    if (deliveredAt(journey) !== undefined || found.length > 0) return []
    const last = tries.at(-1)
    const end = last
      ? `its last attempt was ${last.request.attempt}, answered ${last.answer?.status ?? 'nothing'}`
      : 'it was never tried'
    return [finding(journey, 'lost', `${id} was confirmed at ${message.at} and is nowhere: ${end}`)]
  })

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
]

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
    return []
  }),
  ...elsewhere.flatMap(({ id, queue, content }): Finding[] => {
    const what = differenceOf(messages.get(id)?.content ?? content, content)
    return what ? [{ fault: 'changed', id, text: `${what} of ${id} is another one in ${queue}` }] : []
  }),
]

/** What differs; where one side does not know headers, they are not compared. */
const differenceOf = (published: Content, seen: Content): string | undefined => {
  if (published.body !== undefined && seen.body !== undefined && published.body !== seen.body) return 'the body'
  if (published.headers === undefined || seen.headers === undefined) return undefined
  const names = new Set([...Object.keys(published.headers), ...Object.keys(seen.headers)])
  const name = [...names].find((each) => published.headers?.[each] !== seen.headers?.[each])
  return name === undefined ? undefined : `the header ${name}`
}

/**
 * A second delivery may fail for good: of a message that came back although it was answered, or of a copy that was stored
 * twice before. Either takes a disturbance, and a further attempt unless attempts were not seen.
 */
export const deadThoughDelivered = (journeys: Journeys): Finding[] =>
  journeys.all.flatMap((journey) => {
    const at = deliveredAt(journey)
    const letter = journey.found.find(({ role }) => role === 'dead-letters')
    if (at === undefined || letter === undefined) return []
    const begun = journey.message?.at ?? at
    const isDisturbed = disturbing(journeys, journey, begun, at + settlingMs).length > 0
    const [first, second] = journey.tries
    const isHidden = disturbing(journeys, journey, begun, letter.at).some(({ hides }) => hides === 'requests')
    if (isDisturbed && (second || isHidden || (first?.request.attempt ?? 0) > 1)) return []
    return [finding(journey, 'dead-lettered', `${journey.id} was answered 2xx at ${at} and is a dead letter`)]
  })

export const unfinished = ({ all }: Journeys): Finding[] =>
  all.flatMap((journey) => {
    const waiting = journey.found.find(({ role }) => role === 'source' || role === 'retry' || role === 'level')
    return waiting ? [finding(journey, 'unfinished', `${journey.id} still waits in ${waiting.queue}`)] : []
  })

export const finding = ({ id, terms }: Journey, fault: Finding['fault'], text: string): Finding => ({
  ...{ fault, id, subscription: terms.subscription, text: `${terms.subscription}: ${text}` },
})
