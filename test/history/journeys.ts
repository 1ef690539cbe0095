import type { Answered, Disturbed, Entry, Found, History, MessageId, Published, Requested, Terms } from './history.ts'

/** A request with the answer to it. */
export type Try = { readonly request: Requested; readonly answer: Answered | undefined }

/** What became of one message at one subscription. */
export type Journey = {
  readonly terms: Terms
  readonly id: MessageId
  readonly message: Published | undefined
  /** Whether it is for the subscription; `must not` where it was never published. */
  readonly expected: ReturnType<Terms['matches']>
  readonly isConfirmed: boolean
  /** In the order of their requests. */
  readonly tries: readonly Try[]
  readonly found: readonly Found[]
}

/** A history, sorted by what the rules ask for. */
export type Journeys = {
  readonly all: readonly Journey[]
  /** Requests and messages of subscriptions that nobody has heard of. */
  readonly strays: readonly (Requested | Found)[]
  /** In queues that belong to no subscription. */
  readonly elsewhere: readonly Found[]
  readonly messages: ReadonlyMap<MessageId, Published>
  readonly confirmed: ReadonlySet<MessageId>
  readonly disturbances: readonly Disturbed[]
  parks(exchange: string): boolean
}

type Growing = { tries: Try[]; found: Found[] }

/** Takes time in proportion to the entries, and to the messages times the subscriptions. */
export const journeysOf = ({ entries, terms, parks = () => false }: History): Journeys => {
  const of = <Is extends Entry['is']>(is: Is) => entries.filter((one): one is Entry & { is: Is } => one.is === is)
  const messages = new Map(of('published').map((message) => [message.id, message]))
  const confirmed = new Set(of('confirmed').map(({ id }) => id))
  // What became of one of unknown fate may be decided much later than its connection was lost.
  const ends = [...of('confirmed'), ...of('refused')]
  const settled = new Map(ends.map(({ id, at }) => [id, at]))
  const answers = new Map(of('answered').map((answer) => [answer.request, answer]))
  const bySubscription = new Map(terms.map(({ subscription }) => [subscription, new Map<MessageId, Growing>()]))
  const strays: (Requested | Found)[] = []
  const elsewhere: Found[] = []

  const growing = (subscription: string, id: MessageId): Growing | undefined => {
    const journeys = bySubscription.get(subscription)
    const known = journeys?.get(id)
    if (journeys === undefined || known) return known
    const fresh = { tries: [], found: [] }
    journeys.set(id, fresh)
    return fresh
  }
  for (const request of of('requested').toSorted((a, b) => a.at - b.at)) {
    const journey = growing(request.subscription, request.id)
    if (journey) journey.tries.push({ request, answer: answers.get(request.request) })
    else strays.push(request)
  }
  for (const found of of('found')) {
    const journey = found.subscription === undefined ? undefined : growing(found.subscription, found.id)
    if (journey) journey.found.push(found)
    else if (found.subscription === undefined) elsewhere.push(found)
    else strays.push(found)
  }

  const all = terms.flatMap((each) => {
    const journeys = bySubscription.get(each.subscription) as Map<MessageId, Growing>
    for (const id of messages.keys()) growing(each.subscription, id)
    return [...journeys].map(([id, { tries, found }]) => {
      const message = messages.get(id)
      const expected = message ? each.matches(message, settled.get(id) ?? Number.POSITIVE_INFINITY) : 'must not'
      return { terms: each, id, message, expected, isConfirmed: confirmed.has(id), tries, found }
    })
  })
  return { all, strays, elsewhere, messages, confirmed, parks, disturbances: of('disturbed') }
}

/** When the first 2xx was answered. */
export const deliveredAt = ({ tries }: Journey): number | undefined =>
  tries.find(({ answer }) => isSuccess(answer))?.answer?.at

export const isSuccess = (answer: Answered | undefined): boolean =>
  answer !== undefined && answer.status >= 200 && answer.status < 300

/** After its answer an acknowledgement waits for others for some ms; in this time a disturbance has it delivered again. */
export const settlingMs = 5_000

/** The disturbances that may have to do with what happened to a journey between two times. */
export const disturbing = (
  { disturbances }: Journeys,
  { terms: { subscription } }: Journey,
  from: number,
  to: number,
): readonly Disturbed[] =>
  disturbances.filter(
    ({ at, until, subscriptions }) =>
      at <= to && until >= from && (subscriptions === undefined || subscriptions.includes(subscription)),
  )

/** Those of them that may have had it delivered again. */
export const shaking = (...of: Parameters<typeof disturbing>): readonly Disturbed[] =>
  disturbing(...of).filter(({ isGentle }) => !isGentle)

/** Those that hid something of it. */
export const hiding = (what: Disturbed['hides'], ...of: Parameters<typeof disturbing>): readonly Disturbed[] =>
  disturbing(...of).filter(({ hides }) => hides === what)

/** When it began, as far as is known. */
export const begunAt = ({ message, tries }: Journey): number => message?.at ?? tries[0]?.request.at ?? 0

/** Its dead letters. */
export const lettersOf = ({ found }: Journey): readonly Found[] => found.filter(({ role }) => role === 'dead-letters')

/** Whether it is where it may be; else it was invented, and nothing more is to be said of it. */
export const isKnown = ({ message, expected }: Journey): boolean => message !== undefined && expected !== 'must not'
