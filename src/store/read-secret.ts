import { keyFrom } from '../api/resource.ts'
import type { SecretData, Store } from './store.ts'

/** A Secret with all the keys that were asked for, or what is wrong with it, in words that hold no secret. */
export type SecretRead<Key extends string> =
  | { readonly data: SecretData & Readonly<Record<Key, Buffer>> }
  | { readonly problem: string }

/**
 * Reads a Secret of which `keys` are needed; they are declared beside the field that refers to it (`secretRef`).
 *
 * @throws SecretError where the Secret cannot be read, so that it is not known what it holds
 */
export const readSecret = async <const Key extends string>(
  store: Pick<Store, 'secret'>,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  keys: readonly Key[],
): Promise<SecretRead<Key>> => {
  const data = await store.secret(namespace, name)
  const lack = data === undefined ? 'does not exist' : lackOf(data, keys)
  if (data === undefined || lack !== undefined) return { problem: `Secret ${keyFrom(namespace, name)} ${lack}` }
  return { data: data as SecretData & Readonly<Record<Key, Buffer>> }
}

/** `needs the key ca.crt`; `undefined` where no key is missing or blank: a blank `ca.crt` would mean the system's authorities. */
export const lackOf = (data: SecretData, keys: readonly string[]): string | undefined => {
  const lacking = keys.filter((key) => !data[key]?.toString('latin1').trim())
  if (lacking.length === 0) return undefined
  return `needs the ${lacking.length === 1 ? 'key' : 'keys'} ${lacking.join(' and ')}`
}
