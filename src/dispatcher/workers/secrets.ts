import { keyFrom } from '../../api/resource.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { SecretData, Store } from '../../store/store.ts'

/** The Secrets of one pass over the resources. */
export type Secrets = Pick<Store, 'secret'> & {
  /** Why one could not be read, which may be over soon. */
  unavailable(): SecretError | undefined
}

/** Reads each Secret once, and nothing more after the first that is out of reach: the others will be as well. */
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
