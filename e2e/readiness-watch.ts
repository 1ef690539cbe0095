import type { Subscription } from '../src/api/kinds/subscription.ts'
import type { ApiProxy } from './api-proxy.ts'

/** A Subscription whose Ready was not True at some time, and what it was. */
export type Flap = { readonly name: string; readonly said: string }

export type ReadinessWatch = {
  /** Ends the watch. Resolves to all that was seen. @throws when the watch missed something */
  end(): Promise<{ readonly flaps: readonly Flap[]; readonly events: number }>
}

type List = { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Subscription[] }
type WatchEvent = { readonly type: string; readonly object: Subscription & { readonly message?: string } }

/** Watches the Subscriptions of a namespace, every change of them, from what they are now on. */
export const watchReadiness = async (proxy: ApiProxy, namespace: string): Promise<ReadinessWatch> => {
  const path = `/apis/waybill.dev/v1alpha1/namespaces/${namespace}/subscriptions`
  const list = await proxy.get<List>(path)
  const ending = new AbortController()
  const flaps: Flap[] = list.items.flatMap(flapOf)
  let events = 0

  const follow = async (): Promise<void> => {
    let version = list.metadata.resourceVersion
    while (!ending.signal.aborted) {
      // The API server ends watches when their definition changes; the next one goes on where this one was.
      const lines = proxy.watch(`${path}?watch=1&resourceVersion=${version}`, ending.signal)
      for await (const line of lines) {
        const { type, object } = JSON.parse(line) as WatchEvent
        if (type === 'ERROR') throw new Error(`the watch missed changes: ${object.message}`)
        version = object.metadata.resourceVersion ?? version
        events += 1
        if (type !== 'DELETED') flaps.push(...flapOf(object))
      }
    }
  }
  const followed = follow().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error
  })
  followed.catch(() => {}) // Reported by end().
  return {
    async end() {
      ending.abort()
      await followed
      return { flaps, events }
    },
  }
}

const flapOf = ({ metadata: { name }, status }: Subscription): Flap[] => {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return []
  return [{ name, said: ready ? `${ready.status} ${ready.reason}: ${ready.message}` : 'not there' }]
}
