import { type Verdict, verdict } from '../api/conditions.ts'
import { idOf, isDeleting, type Resource } from '../api/resource.ts'
import type { Resources } from '../api/resources.ts'
import { EndpointError } from '../rabbit/endpoint.ts'
import { BrokerError } from '../rabbit/management.ts'
import type { Attached, Unresolved } from '../topology/attach.ts'
import { UnsupportedVersion } from './pass.ts'
import type { Report } from './report.ts'
import { readyFrom } from './verdicts.ts'

/** Everything attached to a broker, the broker first. */
export const membersOf = ({ broker, topics, queues, subscriptions }: Attached): Resource[] => [
  broker,
  ...topics,
  ...queues.map(({ queue }) => queue),
  ...subscriptions.map(({ subscription }) => subscription),
]

const accepted = verdict('Accepted', 'True', 'Accepted', 'The specification is understood')
const resolved = verdict('ResolvedRefs', 'True', 'ResolvedRefs', 'Everything it refers to exists and permits it')

/** The statuses of all resources of a broker that could not be read. `undefined` for an error of another kind. */
export const unreachableReports = (attached: Attached, error: unknown): Report[] | undefined => {
  const connected = connectedVerdict(error)
  if (connected === undefined) return undefined
  const { broker } = attached
  const refs =
    error instanceof EndpointError ? verdict('ResolvedRefs', 'False', 'SecretInvalid', connected.message) : resolved
  return membersOf(attached).map((resource): Report => {
    const own = resource === broker
    const message = own ? connected.message : `${idOf(broker)} cannot be used: ${connected.message}`
    const programmed = verdict('Programmed', 'False', 'BrokerUnreachable', message)
    const blocked: Verdict[] = isDeleting(resource)
      ? [verdict('DeletionBlocked', 'True', 'BrokerUnreachable', message)]
      : []
    const ready = readyFrom(accepted, own ? refs : resolved, programmed)
    const verdicts = [accepted, own ? refs : resolved, programmed, ready, ...(own ? [connected] : []), ...blocked]
    return { resource, fields: {}, verdicts }
  })
}

const connectedVerdict = (error: unknown): Verdict<'Connected'> | undefined => {
  if (error instanceof EndpointError) return verdict('Connected', 'False', 'SecretInvalid', error.message)
  if (error instanceof UnsupportedVersion) return verdict('Connected', 'False', 'UnsupportedVersion', error.message)
  if (!(error instanceof BrokerError)) return undefined
  const reason = error.kind === 'credentials' ? 'CredentialsRefused' : 'BrokerUnreachable'
  return verdict('Connected', 'False', reason, error.message)
}

/** The statuses of resources that belong to no broker because a reference leads nowhere. */
export const unresolvedReports = (unresolved: readonly Unresolved[]): Report[] =>
  unresolved.map(({ resource, field, message }) => {
    const refs = verdict('ResolvedRefs', 'False', 'RefNotPermitted', `${field}: ${message}`)
    const programmed = verdict(
      'Programmed',
      'False',
      'NotResolved',
      'Nothing was declared or changed while a reference leads nowhere',
    )
    return { resource, fields: {}, verdicts: [accepted, refs, programmed, readyFrom(accepted, refs, programmed)] }
  })

/** Dead-letter policies need no broker of their own. */
export const policyReports = ({ deadLetterPolicies }: Resources, attached: Iterable<Attached>): Report[] => {
  const uses = new Map<string, number>()
  for (const { queues, subscriptions } of attached) {
    for (const { policy } of [...queues, ...subscriptions]) {
      if (policy) uses.set(idOf(policy), (uses.get(idOf(policy)) ?? 0) + 1)
    }
  }
  const programmed = verdict('Programmed', 'True', 'Programmed', 'Declared with each subscription that it holds for')
  return deadLetterPolicies
    .filter((policy) => !isDeleting(policy))
    .map((resource) => ({
      resource,
      fields: { subscriptions: uses.get(idOf(resource)) ?? 0 },
      verdicts: [accepted, resolved, programmed, readyFrom(accepted, resolved, programmed)],
    }))
}
