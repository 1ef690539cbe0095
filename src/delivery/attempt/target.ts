import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Problem } from '../../api/schema/problem.ts'

/** Where the requests of a subscription go, and the parts that are the same in each of them. */
export type Target = {
  /** Scheme, host and port, as `http://billing.shop.svc:8080`. */
  readonly origin: string
  /** Path and query. */
  readonly path: string
  readonly contentMode: 'Binary' | 'Structured'
  /** Headers of every request: name, value, name, value, … */
  readonly headers: readonly string[]
  /** Whether the type of a problem that an answer describes is part of the outcome. */
  readonly readsProblems?: boolean
}

/** Reads the target of a subscription. A Service is reached by its name in the cluster's DNS. */
export const targetOf = ({ metadata, spec }: Subscription): Target | { readonly problem: Problem } => {
  const { url: given, serviceRef, path = '/', contentMode, headers = {}, readProblems = false } = spec.subscriber
  const text =
    given ??
    `${serviceRef?.scheme === 'Https' ? 'https' : 'http'}://${serviceRef?.name}.${metadata.namespace}.svc:${serviceRef?.port}${path}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    const message = 'must be an http:// or https:// URL without a user, such as https://billing.example.com/events'
    return { problem: { field: 'spec.subscriber.url', value: text, message } }
  }
  const fixed = Object.entries(headers)
  const named = fixed.some(([name]) => name.toLowerCase() === 'user-agent')
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    contentMode,
    headers: [...(named ? [] : ['user-agent', 'waybill']), ...fixed.flat()],
    readsProblems: readProblems,
  }
}
