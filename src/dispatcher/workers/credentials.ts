import { type Subscription, subscription } from '../../api/kinds/subscription.ts'
import type { TlsOptions } from '../../http/send.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { Store } from '../../store/store.ts'

/** What a Secret that a subscription names lacks. */
export class TlsSecretError extends Error {
  override readonly name = 'TlsSecretError'
}

const fields = subscription.spec.properties.subscriber.properties.tls.properties

/**
 * Reads which authority a subscription trusts and which certificate it presents. `undefined` where it names neither.
 *
 * @throws TlsSecretError that names the field, the Secret and what it lacks; SecretError
 */
export const tlsOf = async (
  { metadata: { namespace }, spec }: Subscription,
  store: Pick<Store, 'secret'>,
): Promise<TlsOptions | undefined> => {
  const { tls } = spec.subscriber
  if (!tls?.caSecretRef && !tls?.clientCertificateSecretRef) return undefined
  const read = async <Key extends string>(field: keyof typeof fields, keys: readonly Key[]) => {
    const name = tls[field]?.name
    if (name === undefined) return undefined
    const found = await readSecret(store, { namespace, name }, keys)
    if ('problem' in found) throw new TlsSecretError(`spec.subscriber.tls.${field}: ${found.problem}`)
    return found.data
  }
  const trust = await read('caSecretRef', fields.caSecretRef['x-waybill-secret'])
  const identity = await read('clientCertificateSecretRef', fields.clientCertificateSecretRef['x-waybill-secret'])
  return {
    ...(trust ? { ca: trust['ca.crt'] } : {}),
    ...(identity ? { cert: identity['tls.crt'], key: identity['tls.key'] } : {}),
  }
}
