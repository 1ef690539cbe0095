import type { Answer, Delivery, Subscriber } from '../examples/omega/demo/shop.ts'
import { eventually } from '../test/support/wait.ts'
import type { ApiProxy } from './api-proxy.ts'
import type { Cluster } from './cluster.ts'

type Records = { readonly now: number; readonly received: readonly Delivery[] }

/** A subscriber of `examples/kubernetes/subscribers.yaml`, asked through the API server. */
export const clusterSubscriber = (cluster: Cluster, proxy: ApiProxy, name: string, port: number): Subscriber => {
  const service = `/api/v1/namespaces/shop/services/${name}:${port}/proxy`
  // What it received is lost with its pod, so it is saved here before the pod is removed.
  let before: readonly Delivery[] = []
  let isOn = true

  const received = async (): Promise<readonly Delivery[]> => {
    if (!isOn) return before
    const { now, received } = await proxy.get<Records>(`${service}/received`)
    const aheadMs = now - Date.now()
    return [...before, ...received.map((one) => ({ ...one, at: one.at - aheadMs }))]
  }
  const answer = (next: Answer) => proxy.post(`${service}/answer`, next)
  const scale = (replicas: number) =>
    cluster.kubectl(['-n', 'shop', 'scale', `deployment/${name}`, `--replicas=${replicas}`])

  return {
    received,
    answer,
    async switchOff() {
      before = await received()
      isOn = false
      await scale(0)
      const pods = [
        '-n',
        'shop',
        'wait',
        '--for=delete',
        'pods',
        '-l',
        `app.kubernetes.io/name=${name}`,
        '--timeout=60s',
      ]
      await cluster.kubectl(pods)
    },
    async switchOn() {
      await scale(1)
      await cluster.kubectl(['-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=60s'])
      await eventually(() => proxy.text(`${service}/answer`), { timeoutMs: 30_000, everyMs: 100 })
      isOn = true
    },
  }
}
