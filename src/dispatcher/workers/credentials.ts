import { type Subscription, subscription } from '../../api/kinds/subscription.ts'
import type { Credentials, TlsOptions } from '../../http/credentials.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { Store } from '../../store/store.ts'

/** Nothing can be sent to a subscriber as it is named: a Secret does not exist or lacks a key, or the address is blocked. */
export class TargetError extends Error {
  override readonly name = 'TargetError'
}

const tlsFields = subscription.spec.properties.subscriber.properties.tls.properties

/**
 * Reads the credentials for a subscriber from the Secrets that its Subscription names: today those of TLS; keys to sign with
 * and tokens belong here too.
 *
 * @throws TargetError that names the field, the Secret and what it lacks; SecretError
 */
export const credentialsOf = async (
  { metadata: { namespace }, spec }: Subscription,
  store: Pick<Store, 'secret'>,
): Promise<Credentials> => {
  const { caSecretRef, clientCertificateSecretRef } = spec.subscriber.tls ?? {}
  if (!caSecretRef && !clientCertificateSecretRef) return {}
  const read = async <Key extends string>(field: string, name: string | undefined, keys: readonly Key[]) => {
    if (name === undefined) return undefined
    const found = await readSecret(store, { namespace, name }, keys)
    if ('problem' in found) throw new TargetError(`spec.subscriber.${field}: ${found.problem}`)
    return found.data
  }
  const trust = await read('tls.caSecretRef', caSecretRef?.name, tlsFields.caSecretRef['x-waybill-secret'])
  const identity = await read(
    'tls.clientCertificateSecretRef',
    clientCertificateSecretRef?.name,
    tlsFields.clientCertificateSecretRef['x-waybill-secret'],
  )
  const tls: TlsOptions = {
    ...(trust ? { ca: trust['ca.crt'] } : {}),
    ...(identity ? { cert: identity['tls.crt'], key: identity['tls.key'] } : {}),
  }
  return { tls }
}
