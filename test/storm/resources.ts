import { brokerOf, deadLetterPolicyOf, type Manifest, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import type { Vhost } from '../support/vhost.ts'
import { retryAfterMaxMs, topics } from './plan.ts'
import { authorityOf } from './subscribers/https.ts'
import type { Live } from './world.ts'

/** What all Subscriptions of a storm share. */
export const sharedManifests = (vhost: Vhost): Manifest[] => [
  ...brokerOf(vhost, { resyncInterval: '2s' }),
  ...Object.entries(topics).map(([name, type]) => topicOf(name, { exchange: { type } })),
]

/** The policy of all dead-letter queues. One that is full refuses, so that nothing is lost. */
export const policyManifests = (maxLength: number | undefined): Manifest[] => [
  deadLetterPolicyOf('kept', {
    default: true,
    retention: maxLength === undefined ? {} : { maxLength, whenFull: 'Refuse' },
  }),
]

/** A Subscription as it is to be, with the Queue and the authority that it needs. */
export const manifestsOf = ({ planned, spec }: Live): Manifest[] => {
  const { name, topic, hasQueue, mark, contentMode, maxAttempts } = planned
  const { url, https, suspend, schedule, concurrency, routingKeys } = spec
  const authority = https === undefined ? undefined : authorityOf(https)
  const tls = authority === undefined ? {} : { tls: { caSecretRef: { name: `ca-${name}` } } }
  const common = {
    subscriber: { url, contentMode, ...tls },
    delivery: { timeout: '2s', concurrency, retry: { schedule, maxAttempts, retryAfterMax: `${retryAfterMaxMs}ms` } },
    suspend,
  }
  const bindings = [{ topicRef: { name: topic }, ...(topic === 'orders' ? { routingKeys } : {}) }]
  const filter = topic === 'orders' ? { routingKeys } : topic === 'marked' ? { headers: { mark } } : {}
  const own = subscriptionOf(name, topic, url, { ...common, filter })
  // A Queue has no filter by headers.
  const isQueued = hasQueue && topic !== 'marked'
  return [
    ...(authority === undefined ? [] : [authorityManifest(`ca-${name}`, authority, own)]),
    ...(isQueued
      ? [queueOf(`q-${name}`, { bindings }), { ...own, spec: { ...common, queueRef: { name: `q-${name}` } } }]
      : [own]),
  ]
}

const authorityManifest = (name: string, authority: string, { metadata }: Manifest): Manifest => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: metadata.namespace } },
  ...{ stringData: { 'ca.crt': authority } },
})
