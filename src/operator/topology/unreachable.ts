import { type Reason, type Verdict, verdict } from '../../api/conditions.ts'
import { readyFrom, stalledBy } from '../../api/readiness.ts'
import { idOf, isDeleting, type Resource } from '../../api/resource.ts'
import { BrokerError } from '../../rabbit/broker-error.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import type { Report } from '../../reconcile/status-writer.ts'
import { SecretError } from '../../store/secret-error.ts'
import { desired } from '../../topology/desired.ts'
import { newestDialect } from '../../topology/dialect.ts'
import type { Owners } from '../../topology/owners.ts'
import { type Attached, membersOf, unknownPolicies } from '../../topology/references.ts'
import { acceptedOf, lastSeen, refsOf, resolved, stillPresent } from '../world/last-seen.ts'
import { UnsupportedVersion } from './converge.ts'
import { refused } from './verdicts.ts'

/**
 * The statuses of all resources of a broker that could not be read: fields, owners and conflicts stay as they were last
 * observed. `undefined` for an error of another kind.
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
  const { reason } = connected
  const { refusals } = desired(attached, instance, newestDialect, owners)
  const refusalOf = new Map(refusals.map((refusal) => [refusal.resource, refused(refusal)]))
  const ownRefs =
    reason === 'SecretInvalid' ? verdict('ResolvedRefs', 'False', 'SecretInvalid', connected.message) : resolved
  const unknown = new Map(unknownPolicies([attached]).map((each) => [idOf(each.resource), each]))

  return membersOf(attached).map((resource): Report => {
    const own = resource === broker
    const message = own ? connected.message : `${idOf(broker)} cannot be used: ${connected.message}`
    const found = refusalOf.get(resource) ?? {
      accepted: acceptedOf(resource),
      programmed: standing(resource) ?? verdict('Programmed', 'False', reason, message),
      problems: [],
    }
    const refs = own ? ownRefs : refsOf(unknown.get(idOf(resource)))
    const ready = readyFrom(found.accepted, refs, found.programmed)
    const blocked = isDeleting(resource) ? [verdict('DeletionBlocked', 'True', reason, message)] : []
    const all = [found.accepted, refs, found.programmed, ready, ...found.problems, ...blocked]
    const verdicts = [...all, ...stalledBy(found.accepted, found.programmed), ...stillPresent(resource)]
    return { resource, fields: lastSeen(resource), verdicts: own ? [...verdicts, connected] : verdicts }
  })
}

const conflicts = ['Conflicted', 'OtherInstance', 'ImmutableArgument'] as const

/** A conflict that was found when the broker was last read. */
const standing = ({ status }: Resource): Verdict<'Programmed'> | undefined => {
  const before = status?.conditions?.find(({ type }) => type === 'Programmed')
  const reason = conflicts.find((each) => each === before?.reason)
  return reason && verdict('Programmed', 'False', reason, before?.message ?? '')
}

/** Whether it is the broker, or what is known of it, that prevents reconciling. */
export const isExpected = (error: unknown): error is Error =>
  error instanceof SecretError || connectedVerdict(error) !== undefined

type Trouble = Reason<'DeletionBlocked'>

type Unusable = Verdict<'Connected'> & { readonly reason: Trouble }

const connectedVerdict = (error: unknown): Unusable | undefined => {
  const reason = troubleOf(error)
  if (reason === undefined || !(error instanceof Error)) return undefined
  return { ...verdict('Connected', 'False', reason, error.message), reason }
}

/** One reason for each cause; the message says what to do. */
const troubleOf = (error: unknown): Trouble | undefined => {
  const unusable = error instanceof EndpointError || (error instanceof SecretError && error.kind === 'forbidden')
  if (unusable) return 'SecretInvalid'
  if (error instanceof UnsupportedVersion) return 'UnsupportedVersion'
  return error instanceof BrokerError ? byKind[error.kind] : undefined
}

const byKind: Readonly<Record<BrokerError['kind'], Trouble>> = {
  unreachable: 'BrokerUnreachable',
  tls: 'TlsInvalid',
  credentials: 'CredentialsRefused',
  refused: 'BrokerRefused',
  // What was asked was the virtual host itself: a proxy that has no broker behind it answers like that.
  failed: 'BrokerUnreachable',
  missing: 'BrokerRefused',
  'not-empty': 'BrokerRefused',
}
