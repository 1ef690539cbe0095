import type { Subscription } from '../../api/kinds/subscription.ts'
import type { TlsOptions } from '../../http/send.ts'
import type { SecretData, Store } from '../../store/store.ts'

/** What a Secret that a subscription names lacks. */
export class TlsSecretError extends Error {
  override readonly name = 'TlsSecretError'
}

/** Reads whom a subscription trusts and who it is. `undefined` where it says nothing of it. @throws TlsSecretError */
export const tlsOf = async (
  { metadata, spec }: Subscription,
  store: Pick<Store, 'secret'>,
): Promise<TlsOptions | undefined> => {
  const { caSecretRef, clientCertificateSecretRef } = spec.subscriber.tls ?? {}
  if (!caSecretRef && !clientCertificateSecretRef) return undefined
  const read = async (field: string, name: string): Promise<SecretData> => {
    const data = await store.secret(metadata.namespace, name)
    if (data === undefined)
      throw new TlsSecretError(`spec.subscriber.tls.${field}: Secret ${metadata.namespace}/${name} does not exist`)
    return data
  }
  const key = (field: string, name: string, data: SecretData, wanted: string): Buffer => {
    const value = data[wanted]
    if (value === undefined)
      throw new TlsSecretError(
        `spec.subscriber.tls.${field}: Secret ${metadata.namespace}/${name} needs the key ${wanted}`,
      )
    return value
  }
  const options: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {}
  if (caSecretRef) {
    options.ca = key('caSecretRef', caSecretRef.name, await read('caSecretRef', caSecretRef.name), 'ca.crt')
  }
  if (clientCertificateSecretRef) {
    const { name } = clientCertificateSecretRef
    const data = await read('clientCertificateSecretRef', name)
    options.cert = key('clientCertificateSecretRef', name, data, 'tls.crt')
    options.key = key('clientCertificateSecretRef', name, data, 'tls.key')
  }
  return options
}
