import { join } from 'node:path'
import { subscription } from '../src/api/kinds/subscription.ts'
import { brokerOf, subscriptionOf, topicOf } from '../test/support/manifests.ts'
import { startSubscriber } from '../test/support/subscriber.ts'
import type { Vhost } from '../test/support/vhost.ts'
import { eventually } from '../test/support/wait.ts'
import { runWaybill } from '../test/support/waybill.ts'
import { fill } from './backlog.ts'
import { quantile } from './figures.ts'
import { latencies } from './latency.ts'
import { writeManifests } from './manifests.ts'
import type { Setting } from './setting.ts'
import type { Sink } from './sink.ts'

export type Load = { readonly backlog: number; readonly perSecond: number; readonly seconds: number }

/** Throughput and latency of the prompt subscription. */
export type Isolation = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number }

export type Company = 'alone' | 'beside'

export type Trial = {
  /**
   * Measures the prompt subscription, alone or beside the one whose endpoint hangs with its maximum of deliveries in
   * flight.
   */
  measure(company: Company): Promise<Isolation>
}

/** Enough for the code to be compiled before it is measured. */
const warmUp = 20_000
const waitingForHanging = 5_000
/** The default of `spec.delivery.concurrency`. */
const hangingInFlight = 10

type Suspended = { readonly prompt: boolean; readonly hanging: boolean }

/** One Waybill with two subscriptions, for as long as `work` takes. */
export const onTrial = ({ sink, signal, onFreshVhost }: Setting, load: Load, work: (trial: Trial) => Promise<void>) =>
  onFreshVhost(async (vhost, folder) => {
    const endpoint = await hangingEndpoint()
    const write = (suspended: Suspended) =>
      writeManifests(folder, 'isolation', manifestsFor(vhost, sink.url, endpoint.url, suspended))
    const publish = (routingKey: string, count: number) =>
      fill(vhost.amqpUrl, { exchange: 'shop.orders', routingKey, style: 'cloudEvents:', count })
    const waybill = await runWaybill(write({ prompt: false, hanging: true }), { logFile: join(folder, 'waybill.log') })

    /** Resolves once each subscription is delivered or suspended, as given. */
    const settle = async (suspended: Suspended): Promise<void> => {
      write(suspended)
      const isSettled = async () =>
        (await waybill.list(subscription)).every(({ metadata, status }) => {
          const delivering = status?.conditions?.find(({ type }) => type === 'Delivering')
          const should = suspended[metadata.name as keyof Suspended] ? 'Suspended' : 'Delivering'
          return delivering?.reason === should && delivering.observedGeneration === metadata.generation
        })
      await eventually(isSettled, { timeoutMs: 30_000, everyMs: 50 })
    }

    const drain = async (count: number, hanging: boolean): Promise<number> => {
      await settle({ prompt: true, hanging })
      await publish('prompt', count)
      const rate = rateOf(sink, count, signal)
      write({ prompt: false, hanging })
      return rate
    }

    const measure: Trial['measure'] = async (company) => {
      const isAlone = company === 'alone'
      await settle({ prompt: false, hanging: isAlone })
      if (isAlone) endpoint.release()
      await eventually(() => endpoint.held() === (isAlone ? 0 : hangingInFlight))
      const steady = { exchange: 'shop.orders', routingKey: 'prompt', ...load }
      const found = await latencies(vhost.amqpUrl, steady, sink, signal)
      const perSecond = await drain(load.backlog, isAlone)
      return { perSecond, p50Ms: quantile(found, 0.5), p99Ms: quantile(found, 0.99) }
    }

    try {
      await settle({ prompt: false, hanging: true })
      await publish('hanging', waitingForHanging)
      await drain(warmUp, true)
      await work({ measure })
    } finally {
      endpoint.release()
      await waybill.stop()
      await endpoint.close()
      sink.receive(() => undefined)
    }
  })

const manifestsFor = (vhost: Vhost, promptUrl: string, hangingUrl: string, suspended: Suspended) => [
  ...brokerOf(vhost, { resyncInterval: '60s' }),
  topicOf('orders'),
  subscriptionOf('prompt', 'orders', promptUrl, { filter: { routingKeys: ['prompt'] }, suspend: suspended.prompt }),
  subscriptionOf('hanging', 'orders', hangingUrl, { filter: { routingKeys: ['hanging'] }, suspend: suspended.hanging }),
]

/** An endpoint that holds every request until `release` answers all of them. */
const hangingEndpoint = async () => {
  const { url, answer, close } = await startSubscriber()
  let gate = Promise.withResolvers<number>()
  let held = 0
  answer(async () => {
    held += 1
    const status = await gate.promise
    held -= 1
    return status
  })
  return {
    url,
    close,
    held: () => held,
    release: () => {
      gate.resolve(204)
      gate = Promise.withResolvers()
    },
  }
}

/** Messages a second over the next `count` messages. */
const rateOf = (sink: Sink, count: number, signal: AbortSignal): Promise<number> =>
  new Promise((resolve, reject) => {
    let seen = 0
    let begunMs = 0
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    sink.receive(() => {
      seen += 1
      if (seen === 1) begunMs = performance.now()
      if (seen === count) resolve(((count - 1) / (performance.now() - begunMs)) * 1000)
    })
  })
