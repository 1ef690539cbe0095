import type { Content, Disturbed, Entry, Found, History, Letter, Terms } from './history.ts'

/** Short histories of one subscription, for tests of the rules. */

export const billing = 'shop/billing'
export const terms: Terms = {
  subscription: billing,
  matches: ({ exchange }) => (exchange === 'shop.orders' ? 'must' : 'must not'),
  concurrency: 2,
  maxAttempts: 3,
  leastAttempts: 3,
  rejects: (status) => status === 422,
  delayMs: (attempt) => attempt * 1_000,
  isOrdered: false,
}
export const content: Content = { body: 'b', headers: { tenant: 'Sa' } }
let requests = 0

export const published = (id: string, at = 0, exchange = 'shop.orders'): Entry[] => [
  { is: 'published', at, id, exchange, routingKey: 'order.placed', content },
  { is: 'confirmed', at: at + 5, id },
]
type Tried = {
  at: number
  attempt?: number
  status?: number | undefined
  webhookId?: string
  content?: Content
  subscription?: string
  sent?: string
  retryAfterMs?: number
}
export const tried = (
  id: string,
  { at, attempt = 1, status = 200, webhookId = id, retryAfterMs, ...rest }: Tried,
): Entry[] => {
  requests += 1
  const request = requests
  return [
    { is: 'requested', at, request, id, attempt, webhookId, subscription: billing, content, ...rest },
    ...(status === 0
      ? []
      : [
          {
            is: 'answered',
            at: at + 10,
            request,
            status,
            ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
          } as const,
        ]),
  ]
}
export const found = (id: string, role: Found['role'] = 'dead-letters', more: Partial<Found> = {}): Entry => ({
  ...{ is: 'found', at: 90_000, queue: `a queue for ${role}`, role, id, content, subscription: billing },
  ...(role === 'dead-letters' ? { letter: letter() } : {}),
  ...more,
})
/** A message that nobody wants, in the queue for those. */
export const parked = (id: string, more: Partial<Found> = {}): Entry => {
  const { subscription: _, ...rest } = found(id, 'unrouted', { exchange: 'shop.mail', ...more }) as Found
  return rest
}
export const disturbed = (at: number, until = at + 100, more: Partial<Disturbed> = {}): Disturbed => ({
  ...{ is: 'disturbed', at, until, what: 'kill -9' },
  ...more,
})
export const historyOf = (entries: readonly Entry[], more: Partial<Terms> = {}): History => ({
  entries,
  terms: [{ ...terms, ...more }],
  isAtRest: true,
  parks: () => true,
})
/** What a dead letter says that is given up for good reasons. */
export const letter = (more: Partial<Letter> = {}): Letter => ({
  ...{ subscription: billing, reason: 'Exhausted', attempts: 3, status: 503 },
  ...{ exchange: 'shop.orders', routingKey: 'order.placed', ...more },
})
/** Tried twice in vain. */
export const retried = (id: string): Entry[] => [
  ...published(id),
  ...tried(id, { at: 100, status: 503 }),
  ...tried(id, { at: 1_200, attempt: 2, status: 503 }),
]
/** Tried three times in vain. */
export const exhausted = (id: string): Entry[] => [...retried(id), ...tried(id, { at: 3_300, attempt: 3, status: 503 })]
