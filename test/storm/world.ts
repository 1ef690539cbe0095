import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { createRecorder, type Recorder } from '../history/recorder.ts'
import { brokerOf, deadLetterPolicyOf, manifestFolder, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { runWaybill, type Waybill } from '../support/waybill.ts'
import type { FaultWorld } from './fault.ts'
import type { Plan, Planned } from './plan.ts'
import { stormProxy } from './storm-proxy.ts'
import { type StormSubscriber, startSubscriber } from './subscribers.ts'

/** A Subscription as it is now, and since when it is gone. */
export type Live = {
  readonly planned: Planned
  readonly subscriber: StormSubscriber
  /** Changed by edits. */
  spec: { url: string; suspend: boolean; schedule: readonly string[]; concurrency: number }
  isDeleted: boolean
  /** Times in which it may have had no queue: ms of the recorder. */
  readonly gaps: { from: number; to: number }[]
}

export type World = {
  readonly faults: FaultWorld
  readonly vhost: Vhost
  readonly recorder: Recorder
  readonly live: ReadonlyMap<string, Live>
  /** Writes the manifest of a Subscription as it is to be. */
  write(name: string): void
  waybill(): Waybill
  /** Whether all Subscriptions are Ready. */
  isReady(): Promise<boolean>
  [Symbol.asyncDispose](): Promise<void>
}

export type WorldOptions = {
  readonly nodes: FaultWorld['nodes']
  keepsBody(id: string): boolean
  readonly logFile: string
}

export const openWorld = async (plan: Plan, { nodes, keepsBody, logFile }: WorldOptions): Promise<World> => {
  const cleanUp = new AsyncDisposableStack()
  const recorder = createRecorder()
  const vhost = cleanUp.adopt(await freshVhost('waybill-storm'), ({ drop }) => drop())
  const folder = cleanUp.adopt(manifestFolder(), ({ drop }) => drop())
  const amqp = cleanUp.adopt(await stormProxy(vhost.endpoint.amqp), ({ close }) => close())
  const behind = new URL(vhost.managementUrl)
  const management = cleanUp.adopt(
    await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) }),
    ({ close }) => close(),
  )
  const through = new URL(vhost.secret.connection_string)
  through.host = `127.0.0.1:${amqp.port}`
  const secret = { connection_string: through.href, management_uri: `http://127.0.0.1:${management.port}` }
  folder.write('broker', [
    ...brokerOf({ ...vhost, secret }, { resyncInterval: '2s' }),
    topicOf('orders'),
    deadLetterPolicyOf('kept', { default: true }),
  ])

  const live = new Map<string, Live>()
  const write = (name: string): void => {
    const { planned, spec } = live.get(name) as Live
    const { url, suspend, schedule, concurrency } = spec
    const delivery = {
      timeout: '2s',
      concurrency,
      retry: { schedule, maxAttempts: planned.maxAttempts, retryAfterMax: '2s' },
    }
    const subscriber = { url, contentMode: planned.contentMode }
    const common = { subscriber, delivery, suspend }
    const topicRef = { name: 'orders' }
    folder.write(
      name,
      planned.hasQueue
        ? [
            queueOf(`q-${name}`, { bindings: [{ topicRef, routingKeys: planned.routingKeys }] }),
            { ...subscriptionOf(name, '', url), spec: { ...common, queueRef: { name: `q-${name}` } } },
          ]
        : [subscriptionOf(name, 'orders', url, { ...common, filter: { routingKeys: planned.routingKeys } })],
    )
  }
  for (const planned of plan.subscriptions) {
    const { name, schedule, concurrency } = planned
    const options = { subscription: `shop/${name}`, seed: plan.seed, recorder, keepsBody }
    const subscriber = cleanUp.adopt(await startSubscriber(options), ({ close }) => close())
    const spec = { url: subscriber.url, suspend: false, schedule, concurrency }
    live.set(name, { planned, subscriber, spec, isDeleted: false, gaps: [] })
    write(name)
  }

  let waybill: Waybill | undefined
  const start = async (): Promise<void> => {
    waybill ??= await runWaybill(folder.path, { logFile, args: ['--drain-timeout', '5s'] })
  }
  await start()
  cleanUp.defer(async () => waybill?.stop())
  const running = (): Waybill => {
    if (waybill === undefined) throw new Error('Waybill does not run')
    return waybill
  }

  const process: FaultWorld['process'] = {
    signal(signal) {
      if (waybill === undefined) return
      globalThis.process.kill(waybill.pid, signal)
      if (signal === 'SIGKILL') waybill = undefined
    },
    start,
  }
  const file = (name: string) => join(folder.path, `${name}.yaml`)
  return {
    faults: {
      ...{ vhost, amqp, management, process, nodes },
      folder: {
        write: (name, text) => writeFileSync(file(name), text),
        delete: (name) => rmSync(file(name), { force: true }),
      },
    },
    ...{ vhost, recorder, live, write },
    waybill: running,
    isReady: async () => {
      const all = await running().list(subscription)
      return all.length === live.size && all.every(({ status }) => isTrue(status?.conditions, 'Ready'))
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}
