import { type Verdict, verdict } from '../../api/conditions.ts'
import { readyFrom } from '../../api/readiness.ts'
import { idOf, isDeleting, type Resource } from '../../api/resource.ts'
import { BrokerError } from '../../rabbit/broker-error.ts'
import { EndpointError } from '../../rabbit/endpoint.ts'
import type { Report } from '../../reconcile/status-writer.ts'
import { SecretError } from '../../store/secret-error.ts'
import { desired } from '../../topology/desired.ts'
import { newestDialect } from '../../topology/dialect.ts'
import type { Owners } from '../../topology/owners.ts'
import { type Attached, membersOf } from '../../topology/references.ts'
import { acceptedOf, lastSeen, resolved, stillPresent } from '../world/last-seen.ts'
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
      accepted: acceptedOf(resource),
      programmed: standing(resource) ?? verdict('Programmed', 'False', 'BrokerUnreachable', message),
      problems: [],
    }
    const ready = readyFrom(found.accepted, own ? refs : resolved, found.programmed)
    const blocked = isDeleting(resource) ? [verdict('DeletionBlocked', 'True', 'BrokerUnreachable', message)] : []
    const all = [found.accepted, own ? refs : resolved, found.programmed, ready, ...found.problems, ...blocked]
    const verdicts = [...all, ...stillPresent(resource)]
    return { resource, fields: lastSeen(resource), verdicts: own ? [...verdicts, connected] : verdicts }
  })
}

/** A conflict that was found when the broker was last read. */
const standing = ({ status }: Resource): Verdict<'Programmed'> | undefined => {
  const before = status?.conditions?.find(({ type }) => type === 'Programmed')
  if (before?.reason !== 'Conflicted' && before?.reason !== 'ImmutableArgument') return undefined
  return verdict('Programmed', 'False', before.reason, before.message)
}

/** Whether it is the broker, or what is known of it, that prevents reconciling. */
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
