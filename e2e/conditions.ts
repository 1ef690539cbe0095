import assert from 'node:assert/strict'
import { eventually } from '../test/support/wait.ts'
import type { ApiProxy } from './api-proxy.ts'

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }
type Conditioned = {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly conditions?: readonly Condition[] }
}
type Happened = { readonly type: string; readonly reason: string; readonly message: string }

/** `subscriptions/billing` of a namespace. */
export type Named = { readonly namespace: string; readonly path: string }

export const resource = async <T extends Conditioned>(proxy: ApiProxy, { namespace, path }: Named): Promise<T> =>
  proxy.get<T>(`/apis/waybill.dev/v1alpha1/namespaces/${namespace}/${path}`)

/** Waits for a condition and says how long it took, and its reason. @throws when it does not come, with what there is instead */
export const becomes = async (
  proxy: ApiProxy,
  named: Named,
  type: string,
  status: 'True' | 'False',
  withinMs: number,
): Promise<{ readonly took: string; readonly condition: Condition }> => {
  const startedMs = performance.now()
  let last: readonly Condition[] | undefined
  const look = async () => {
    last = (await resource(proxy, named)).status?.conditions
    return last?.find((one) => one.type === type && one.status === status)
  }
  const condition = await eventually(look, { timeoutMs: withinMs, everyMs: 100 }).catch((cause) => {
    const found = last?.map((one) => `${one.type} ${one.status} ${one.reason}: ${one.message}`).join('\n         ')
    throw new Error(`${named.path} was not ${type} ${status} within ${withinMs} ms, but\n         ${found}`, { cause })
  })
  return { took: `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`, condition }
}

/** The Events on a resource of ours. */
export const eventsOf = async (
  proxy: ApiProxy,
  namespace: string,
  kind: string,
  name: string,
): Promise<readonly Happened[]> => {
  const selector = encodeURIComponent(`involvedObject.kind=${kind},involvedObject.name=${name}`)
  return (await proxy.get<{ items: Happened[] }>(`/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`))
    .items
}

/** Waits for an Event that `fits`; resolves with its reason and message. */
export const eventSays = async (
  proxy: ApiProxy,
  { namespace, kind, name }: { readonly namespace: string; readonly kind: string; readonly name: string },
  fits: (event: Happened) => boolean,
): Promise<string> => {
  let events: readonly Happened[] = []
  const look = async () => {
    events = await eventsOf(proxy, namespace, kind, name)
    return events.find(fits)
  }
  const found = await eventually(look, { timeoutMs: 10_000, everyMs: 200 }).catch(() => undefined)
  const seen = events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`).join('\n         ')
  assert(found, `no such Event on ${kind} ${name} within 10 s, only\n         ${seen || 'none'}`)
  return `${found.type} ${found.reason}`
}
