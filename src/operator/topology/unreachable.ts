import { type Verdict, verdict } from '../../api/conditions.ts'
import type { Resources } from '../../api/kinds/resources.ts'
import { readyFrom } from '../../api/readiness.ts'
import { idOf, isDeleting, type Resource } from '../../api/resource.ts'
import { EndpointError } from '../../rabbit/endpoint.ts'
import { BrokerError } from '../../rabbit/management/management.ts'
import type { Report } from '../../reconcile/status-writer.ts'
import { SecretError } from '../../store/secret-error.ts'
import { desired } from '../../topology/desired.ts'
import { newestDialect } from '../../topology/dialect.ts'
import type { Owners } from '../../topology/owners.ts'
import type { Attached, Unresolved } from '../../topology/references.ts'
import { UnsupportedVersion } from './pass.ts'
import { refused } from './verdicts.ts'

/** Everything attached to a broker, the broker first. */
export const membersOf = ({ broker, topics, queues, subscriptions }: Attached): Resource[] => [
  broker,
  ...topics,
  ...queues.map(({ queue }) => queue),
  ...subscriptions.map(({ subscription }) => subscription),
]

const accepted = verdict('Accepted', 'True', 'Accepted', 'The specification is understood')
const resolved = verdict('ResolvedRefs', 'True', 'ResolvedRefs', 'Everything it refers to exists and permits it')

/**
 * The statuses of all resources of a broker that could not be read: what was seen there stays as it was last seen, and
 * so do the owners and what stood in the way. `undefined` for an error of another kind.
 */
export const unreachableReports = (
  attached: Attached,
  instance: string,
  error: unknown,
  owners: Owners,
): Report[] | undefined => {
  const connected = connectedVerdict(error)
  if (connected === undefined) return undefined
  const { broker } = attached
  const { refusals } = desired(attached, instance, newestDialect, owners)
  const refusalOf = new Map(refusals.map((refusal) => [refusal.resource, refused(refusal)]))
  const refs =
    connected.reason === 'SecretInvalid'
      ? verdict('ResolvedRefs', 'False', 'SecretInvalid', connected.message)
      : resolved

  return membersOf(attached).map((resource): Report => {
    const own = resource === broker
    const message = own ? connected.message : `${idOf(broker)} cannot be used: ${connected.message}`
    const found = refusalOf.get(resource) ?? {
      accepted,
      programmed: standing(resource) ?? verdict('Programmed', 'False', 'BrokerUnreachable', message),
      problems: [],
    }
    const ready = readyFrom(found.accepted, own ? refs : resolved, found.programmed)
    const blocked = isDeleting(resource) ? [verdict('DeletionBlocked', 'True', 'BrokerUnreachable', message)] : []
    const told = [found.accepted, own ? refs : resolved, found.programmed, ready, ...found.problems, ...blocked]
    const verdicts = [...told, ...stillPresent(resource)]
    return { resource, fields: seen(resource), verdicts: own ? [...verdicts, connected] : verdicts }
  })
}

/** Nobody took the dead letters away while nobody looked. */
const stillPresent = ({ status }: Resource): Verdict[] => {
  const before = status?.conditions?.find(({ type }) => type === 'DeadLettersPresent')
  return before === undefined ? [] : [verdict('DeadLettersPresent', 'True', 'DeadLetters', before.message)]
}

/** What of a status this process does not write, or stamps itself. */
const notSeen: ReadonlySet<string> = new Set(['conditions', 'delivery', 'observedGeneration'])
const seen = ({ status = {} }: Resource): Report['fields'] =>
  Object.fromEntries(Object.entries(status).filter(([name]) => !notSeen.has(name)))

const standing = ({ status }: Resource): Verdict<'Programmed'> | undefined => {
  const before = status?.conditions?.find(({ type }) => type === 'Programmed')
  if (before?.reason !== 'Conflicted' && before?.reason !== 'ImmutableArgument') return undefined
  return verdict('Programmed', 'False', before.reason, before.message)
}

/** Whether it is the broker, or what is known of it, that prevents a pass. */
export const isExpected = (error: unknown): error is Error =>
  error instanceof SecretError || connectedVerdict(error) !== undefined

const connectedVerdict = (error: unknown): Verdict<'Connected'> | undefined => {
  const unusable = error instanceof EndpointError || (error instanceof SecretError && error.kind === 'forbidden')
  if (unusable) return verdict('Connected', 'False', 'SecretInvalid', error.message)
  if (error instanceof UnsupportedVersion) return verdict('Connected', 'False', 'UnsupportedVersion', error.message)
  if (!(error instanceof BrokerError)) return undefined
  const reason = error.kind === 'credentials' ? 'CredentialsRefused' : 'BrokerUnreachable'
  return verdict('Connected', 'False', reason, error.message)
}

/**
 * The statuses of resources that belong to no broker because a reference leads nowhere: their messages wait where they did.
 */
export const unresolvedReports = (unresolved: readonly Unresolved[]): Report[] =>
  unresolved.map(({ resource, field, message }) => {
    const refs = verdict('ResolvedRefs', 'False', 'RefNotPermitted', `${field}: ${message}`)
    const programmed = verdict(
      'Programmed',
      'False',
      'NotResolved',
      'Nothing was declared or changed while a reference leads nowhere',
    )
    const verdicts = [accepted, refs, programmed, readyFrom(accepted, refs, programmed), ...stillPresent(resource)]
    return { resource, fields: seen(resource), verdicts }
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
