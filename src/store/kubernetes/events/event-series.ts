import { createHash } from 'node:crypto'
import { apiVersion, idOf, type Metadata } from '../../../api/resource.ts'
import { timestamp } from '../../../api/timestamp.ts'
import type { Notice } from '../../store.ts'

/** Who reports: `component` is the kind of process, `identity` this one. */
export type Reporter = { readonly component: string; readonly identity: string }

/** As much of a resource as an Event names. */
export type Subject = { readonly kind: string; readonly metadata: Metadata }

/** The same notice about the same resource, again and again, as one Event with a count. */
export type Series = {
  readonly event: Readonly<Record<string, unknown>>
  readonly namespace: string
  readonly name: string
  count: number
  lastMs: number
  /** Called right before the Event is sent; throws where this process may not write any more. */
  fence: (() => void) | undefined
  isStored: boolean
}

export const seriesKey = (resource: Subject, { type, reason, message }: Notice): string =>
  [idOf(resource), resource.metadata.uid, type, reason, message].join('\n')

/** kubectl and others cut longer ones off anyhow. */
const longestMessage = 1024

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const seriesOf = (resource: Subject, notice: Notice, { component, identity }: Reporter, now: number): Series => {
  const { type, reason, message } = notice
  const { namespace, name: of, uid, resourceVersion } = resource.metadata
  const hash = createHash('sha256')
    .update(`${identity}\n${now}\n${seriesKey(resource, notice)}`)
    .digest('hex')
  // A name of 253 characters must still be one with the hash.
  const name = `${of.slice(0, 230).replace(/[^a-z0-9]+$/, '')}.${hash.slice(0, 16)}`
  const firstTimestamp = timestamp(now)
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name },
    involvedObject: { apiVersion, kind: resource.kind, namespace, name: of, uid, resourceVersion },
    type,
    reason,
    message: message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message,
    source: { component },
    reportingComponent: component,
    reportingInstance: identity,
    firstTimestamp,
  }
  return { event, namespace, name, count: 0, lastMs: now, fence: undefined, isStored: false }
}

/** What changes each time that it happens again. */
export const counted = ({ count, lastMs }: Series) => ({ count, lastTimestamp: timestamp(lastMs) })
