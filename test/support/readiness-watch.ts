import { setTimeout as delay } from 'node:timers/promises'
import type { Subscription } from '../../src/api/kinds/subscription.ts'

/** Where Subscriptions are read. */
type Api = {
  /** The JSON of a path. */
  get<T>(path: string): Promise<T>
  /** The lines of a watch. */
  watch(path: string, signal: AbortSignal): AsyncIterable<string>
}

/** A Subscription whose Ready was not True at some time, and what it was. */
export type Flap = { readonly name: string; readonly said: string }

export type ReadinessWatch = {
  /** Ends the watch, after a last look. Resolves to all that was seen. @throws when that look failed */
  end(): Promise<{ readonly flaps: readonly Flap[]; readonly events: number }>
}

type List = { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Subscription[] }
type WatchEvent = { readonly type: string; readonly object: Subscription }

/** Watches the Subscriptions of a namespace, every change of them, from what they are now on. */
export const watchReadiness = async (api: Api, namespace: string): Promise<ReadinessWatch> => {
  const path = `/apis/waybill.dev/v1alpha1/namespaces/${namespace}/subscriptions`
  const ending = new AbortController()
  const flaps: Flap[] = []
  const since = new Map<string, string>()
  let events = 0

  const see = (subscription: Subscription): void => {
    events += 1
    const { name } = subscription.metadata
    const ready = subscription.status?.conditions?.find(({ type }) => type === 'Ready')
    if (ready?.status !== 'True') {
      flaps.push({ name, said: ready ? `${ready.status} ${ready.reason}: ${ready.message}` : 'not there' })
      return
    }
    // What nobody saw between two looks still changed this.
    const before = since.get(name)
    if (before !== undefined && before !== ready.lastTransitionTime)
      flaps.push({ name, said: `True since ${ready.lastTransitionTime}, before since ${before}` })
    since.set(name, ready.lastTransitionTime)
  }
  const list = async (): Promise<string> => {
    const { metadata, items } = await api.get<List>(path)
    for (const one of items) see(one)
    return metadata.resourceVersion
  }
  let version: string | undefined = await list()
  const watch = async (): Promise<void> => {
    version ??= await list()
    for await (const line of api.watch(`${path}?watch=1&resourceVersion=${version}`, ending.signal)) {
      const { type, object } = JSON.parse(line) as WatchEvent
      // The API server forgets what was before a change of the definition, and ends the watch.
      version = type === 'ERROR' ? undefined : object.metadata.resourceVersion
      if (version !== undefined && type !== 'DELETED') see(object)
    }
  }
  const follow = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      // It answers nothing (429) while it takes up a change of the definition.
      await watch().catch(() => delay(100))
    }
  }
  const followed = follow()
  return {
    async end() {
      ending.abort()
      await followed
      await list()
      return { flaps, events }
    },
  }
}
