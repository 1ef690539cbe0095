import { keyFrom } from '../../api/resource.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { SecretData, Store } from '../../store/store.ts'

/** The Secrets read while the fleet is fitted once. */
export type Secrets = Pick<Store, 'secret'> & {
  /** Why a Secret could not be read, which may be temporary. */
  unavailable(): SecretError | undefined
}

/** Reads each Secret once, and no more after the first that cannot be read: the others could not either. */
export const secretsOf = (store: Pick<Store, 'secret'>): Secrets => {
  const known = new Map<string, Promise<SecretData | undefined>>()
  let fault: SecretError | undefined

  const read = async (namespace: string, name: string): Promise<SecretData | undefined> => {
    if (fault) throw fault
    try {
      return await store.secret(namespace, name)
    } catch (error) {
      if (error instanceof SecretError && error.kind === 'unavailable') fault = error
      throw error
    }
  }

  return {
    secret: (namespace, name) => {
      const id = keyFrom(namespace, name)
      const secret = known.get(id) ?? read(namespace, name)
      known.set(id, secret)
      return secret
    },
    unavailable: () => fault,
  }
}
