import type { Broker } from '../../api/kinds/broker.ts'

/** A Secret cannot be watched with the rights that Waybill asks for, so it is read again this often. */
export const readAgainMs = 60_000

const wantedBy = ({ metadata: { uid, generation } }: Broker): string => `${uid} ${generation}`

/**
 * Whether what was read for a Broker still holds: until the Broker changes, something is in doubt, or a minute has passed. `now` is
 * in ms, from any moment on.
 */
export const freshness = (now: () => number) => {
  const last = new Map<string, { readonly wanted: string; readonly at: number }>()

  return {
    is: (key: string, broker: Broker): boolean => {
      const read = last.get(key)
      return read !== undefined && read.wanted === wantedBy(broker) && now() - read.at < readAgainMs
    },
    /** Reads it anew; it is fresh by the time at which that began, unless it fails or comes in doubt meanwhile. */
    async read<T>(key: string, broker: Broker, reading: () => Promise<T>): Promise<T> {
      const begun = { wanted: wantedBy(broker), at: now() }
      last.set(key, begun)
      try {
        return await reading()
      } catch (error) {
        last.delete(key)
        throw error
      }
    },
    doubt: (key: string): void => void last.delete(key),
    doubtAll: (): void => last.clear(),
  }
}
