import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isTrue } from '../src/api/conditions.ts'
import { type Subscription, subscription } from '../src/api/kinds/subscription.ts'
import { apiVersion } from '../src/api/resource.ts'
import { brokerOf, subscriptionOf, topicOf } from '../test/support/manifests.ts'
import type { Vhost } from '../test/support/vhost.ts'
import { runWaybill } from '../test/support/waybill.ts'
import { median } from './figures.ts'
import { writeManifests } from './manifests.ts'
import { countOf, optionsOf } from './option.ts'
import { putQuorumQueue } from './put-quorum-queue.ts'
import { bench, type Setting, say } from './setting.ts'

const atATime = 16

const help = `npm run bench:topology [-- OPTIONS]

Measures the time from the start of Waybill until all subscriptions, each in a file of its own, are Ready: declared,
read back and consumed from. Compares it with the time that the broker needs to declare as many quorum queues,
${atATime} at a time; a subscription has two queues, two bindings and a consumer.

  -n COUNT          subscriptions (1000)
  --rounds COUNT    how often it is measured; the median of the ratios is printed (3)

Uses the broker of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL if they are set, else a private one.`

const options = optionsOf(help, { n: '1000', rounds: '3' })
const count = countOf('-n', options.n)
const rounds = countOf('--rounds', options.rounds)

/** The target: at most this many times what the broker itself takes. */
const target = 3

const secondsSince = (begunMs: number): number => (performance.now() - begunMs) / 1000

const putQueues = async (vhost: Vhost): Promise<number> => {
  const begunMs = performance.now()
  let next = 0
  const worker = async () => {
    while (next < count) await putQuorumQueue(vhost, `queue-${next++}`)
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  return secondsSince(begunMs)
}

const nameOf = (number: number): string => `subscription-${number}`

const writeAll = (vhost: Vhost, folder: string, url: string): void => {
  writeManifests(folder, 'broker', [...brokerOf(vhost, { resyncInterval: '60s' }), topicOf('orders')])
  for (let number = 0; number < count; number += 1) {
    const name = nameOf(number)
    const filter = { routingKeys: [`order.${number}`] }
    writeManifests(folder, name, [subscriptionOf(name, 'orders', url, { filter })])
  }
}

/** Listing a thousand resources costs Waybill time, so a single one is polled until it is Ready. */
const becomeReady = async (folder: string, signal: AbortSignal): Promise<number> => {
  const begunMs = performance.now()
  const waybill = await runWaybill(folder, { logFile: join(folder, 'waybill.log') })
  const one = `${waybill.server}/apis/${apiVersion}/namespaces/shop/subscriptions/${nameOf(count - 1)}`
  const isReady = ({ status }: Subscription): boolean => isTrue(status?.conditions, 'Ready')
  try {
    while (!isReady((await (await fetch(one, { signal })).json()) as Subscription))
      await delay(50, undefined, { signal })
    while (!(await waybill.list(subscription)).every(isReady)) await delay(200, undefined, { signal })
    return secondsSince(begunMs)
  } finally {
    await waybill.stop()
  }
}

/** A pause, so that work which the broker still does for the previous measurement does not affect the next one. */
const restMs = 3_000

const brokerItself = async ({ onFreshVhost, signal }: Setting): Promise<number> => {
  await delay(restMs, undefined, { signal })
  const seconds = await onFreshVhost((vhost) => putQueues(vhost))
  say(`  broker   ${seconds.toFixed(1)} s for ${count} quorum queues`)
  return seconds
}

const waybill = async ({ sink, signal, onFreshVhost }: Setting): Promise<number> => {
  await delay(restMs, undefined, { signal })
  const seconds = await onFreshVhost((vhost, folder) => {
    writeAll(vhost, folder, sink.url)
    return becomeReady(folder, signal)
  })
  say(`  Waybill  ${seconds.toFixed(1)} s until ${count} subscriptions are Ready`)
  return seconds
}

/** The broker is measured before and after each measurement of Waybill, because the machine's speed drifts. */
const ratiosOf = async (setting: Setting): Promise<number[]> => {
  const ratios: number[] = []
  let before = await brokerItself(setting)
  for (let round = 1; round <= rounds; round += 1) {
    const seconds = await waybill(setting)
    const after = await brokerItself(setting)
    const ratio = seconds / ((before + after) / 2)
    ratios.push(ratio)
    before = after
    say(`round ${round}/${rounds}  ${ratio.toFixed(2)} times the broker's own time`)
  }
  return ratios
}

await bench(async (setting) => {
  const ratios = await ratiosOf(setting)
  const ratio = median(ratios)
  const verdict = ratio <= target ? 'reached' : 'missed'
  const all = ratios.map((each) => each.toFixed(2)).join(', ')
  const times = `${ratio.toFixed(2)} times (${all})`
  console.log(
    `\n${count} subscriptions become Ready in ${times} the time that the broker needs for ${count} quorum queues`,
  )
  console.log(`Target (at most ${target}): ${verdict}`)
})
