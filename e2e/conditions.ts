import assert from 'node:assert/strict'
import { eventually } from '../test/support/wait.ts'
import type { ApiProxy } from './api-proxy.ts'

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }
export type Conditioned = {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly conditions?: readonly Condition[] }
}
type KubernetesEvent = { readonly type: string; readonly reason: string; readonly message: string }

/** `subscriptions/billing` of a namespace. */
export type Named = { readonly namespace: string; readonly path: string }

export const resource = async <T extends Conditioned>(proxy: ApiProxy, { namespace, path }: Named): Promise<T> =>
  proxy.get<T>(`/apis/waybill.dev/v1alpha1/namespaces/${namespace}/${path}`)

/**
 * Waits for a condition; returns it and how long it took. @throws after the time is up, with the conditions found
 * instead
 */
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
    const found = last?.map((one) => `${one.type}=${one.status} ${one.reason}: ${one.message}`).join('\n         ')
    throw new Error(`${named.path} did not become ${type}=${status} within ${withinMs} ms. Found:\n         ${found}`, {
      cause,
    })
  })
  return { took: `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`, condition }
}

/** The Events of a Waybill resource. */
export const eventsOf = async (
  proxy: ApiProxy,
  namespace: string,
  kind: string,
  name: string,
): Promise<readonly KubernetesEvent[]> => {
  const selector = encodeURIComponent(`involvedObject.kind=${kind},involvedObject.name=${name}`)
  return (
    await proxy.get<{ items: KubernetesEvent[] }>(`/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`)
  ).items
}

/** Waits for an Event that `fits`; resolves with its type and reason. */
export const eventSays = async (
  proxy: ApiProxy,
  { namespace, kind, name }: { readonly namespace: string; readonly kind: string; readonly name: string },
  fits: (event: KubernetesEvent) => boolean,
): Promise<string> => {
  let events: readonly KubernetesEvent[] = []
  const look = async () => {
    events = await eventsOf(proxy, namespace, kind, name)
    return events.find(fits)
  }
  const found = await eventually(look, { timeoutMs: 10_000, everyMs: 200 }).catch(() => undefined)
  const seen = events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`).join('\n         ')
  assert(
    found,
    `The expected Event of ${kind} ${name} did not appear within 10 s. Found:\n         ${seen || 'no Events'}`,
  )
  return `${found.type} ${found.reason}`
}
