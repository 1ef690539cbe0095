import type { Broker } from '../../src/api/kinds/broker.ts'
import type { Replay } from '../../src/api/kinds/replay.ts'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import type { Topic } from '../../src/api/kinds/topic.ts'

/** Resources in which every text that somebody else may write is this one. */

const metadata = (name: string) => ({
  ...{ name, namespace: name, uid: 'u', generation: 1, resourceVersion: '1' },
  creationTimestamp: '2026-11-28T09:00:00Z',
})

const condition = (type: string, text: string, status: 'True' | 'False' = 'True') => ({
  ...{ type, status, reason: text, message: text, lastTransitionTime: '2026-11-28T09:00:00Z' },
})

const group = (text: string) => ({
  ...{ group: 'bbbbbbbbbb', reason: text, statusCode: 503, error: text, count: 1_150, replayed: 3 },
  ...{
    first: '2026-11-28T09:00:00Z',
    last: '2026-11-28T11:00:00Z',
    types: [text, text],
    samples: ['aaaaaaaaaaaaaaaa'],
  },
})

export const subscriptionWith = (text: string, url = 'https://shop.example.com/hook'): Subscription =>
  ({
    ...{ apiVersion: 'waybill.dev/v1alpha1', kind: 'Subscription', metadata: metadata(text) },
    spec: { topicRef: { name: text }, subscriber: { url } },
    status: {
      ...{ queue: text, retryQueue: text, deadLetterQueue: text, backlog: { ready: 12, inFlight: 3 } },
      deadLetters: {
        ...{ count: 12_345, oldest: '2026-11-27T10:00:00Z', complete: false, scanned: 100, others: 7 },
        groups: [group(text), group(text)],
      },
      delivery: {
        ...{ delivered: 9, retried: 2, deadLettered: 3 },
        lastFailure: { time: '2026-11-28T09:00:00Z', statusCode: 503, reason: text, message: text },
      },
      conditions: ['Ready', 'Delivering', text].map((type) => condition(type, text, 'False')),
    },
  }) as unknown as Subscription

export const jobWith = (text: string, { ended = false, dryRun = false }): Replay =>
  ({
    ...{ apiVersion: 'waybill.dev/v1alpha1', kind: 'Replay', metadata: metadata(text) },
    spec: {
      ...{ subscriptionRef: { name: text }, to: 'Subscriber', suspend: false, dryRun, requestedBy: text },
      selector: { all: false, types: [text], headers: { a: text } },
      rate: { requests: 20, per: '1s', ramp: true },
    },
    status: {
      ...{ matched: 100, delivered: 60, failed: 7, left: 33, cutoff: '2026-11-28T11:00:00.123Z' },
      lastFailure: { time: '2026-11-28T11:00:00Z', statusCode: 503, message: text },
      conditions: [condition(ended ? 'Complete' : 'Progressing', text)],
    },
  }) as unknown as Replay

export const brokerWith = (text: string): Broker =>
  ({
    metadata: metadata(text),
    status: { version: text, delayed: 5, orphaned: 6, conditions: [condition('Ready', text)] },
  }) as unknown as Broker

export const topicWith = (text: string): Topic =>
  ({ metadata: metadata(text), status: { unrouted: 4 } }) as unknown as Topic
