import { SecretError } from '../../secret-error.ts'
import type { SecretData } from '../../store.ts'
import { isApiError } from './api-error.ts'
import type { Client } from './client.ts'
import { corePath } from './paths.ts'

/** Reads Secrets anew each time: the permission to get them allows neither to list nor to watch them. */
export const secretReader =
  (client: Pick<Client, 'request'>) =>
  /** @throws SecretError */
  async (namespace: string, name: string): Promise<SecretData | undefined> => {
    const id = `Secret ${namespace}/${name}`
    try {
      const path = corePath('secrets', namespace, name)
      const { data = {} } = await client.request<{ data?: Record<string, string> }>({ method: 'GET', path })
      return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]))
    } catch (cause) {
      if (isApiError(cause, 404)) return undefined
      if (isApiError(cause, 403)) {
        const hint = `grant Waybill's service account get on secrets in namespace ${namespace}`
        throw new SecretError('forbidden', `No permission to read ${id}: ${hint}`, { cause })
      }
      throw new SecretError('unavailable', `${id} cannot be read: the API server did not return it`, { cause })
    }
  }
