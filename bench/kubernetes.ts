import { resolve } from 'node:path'
import { milliseconds } from '../src/api/duration.ts'
import { tableText } from './figures.ts'
import type { Memory } from './kubernetes/pair.ts'
import { topologyOperator } from './kubernetes/topology-operator.ts'
import { type WaybillFigures, waybill } from './kubernetes/waybill.ts'
import { countOf, optionsOf, refuse } from './option.ts'
import { findPeers, peersFolder, topologyOperatorCrds } from './peers/build.ts'
import { bench, type Setting, say } from './setting.ts'

const help = `npm run bench:kubernetes [-- OPTIONS]

Compares Waybill's operator and dispatcher with RabbitMQ's messaging-topology-operator, each on an etcd and a
kube-apiserver of its own: the time from the start of the processes until all existing resources are Ready. The peer has
quorum queues with one binding each; Waybill has Subscriptions, each with a queue, a dead-letter queue, two bindings and
a consumer. For Waybill it then measures one more Subscription, a restart, memory, writes while idle, and deletion.

  -n COUNT          Subscriptions, and queues and bindings of the peer (1000)
  --rest DURATION   how long Waybill must be idle without a write (30s)
  --peers FOLDER    folder of the peer's binary, which is built if missing (${peersFolder})

Exits with 1 when a target is missed.
Uses the broker of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL if they are set, else a private one.`

const options = optionsOf(help, { n: '1000', rest: '30s', peers: peersFolder })
const count = countOf('-n', options.n)
const restMs = /^\d+(ms|s|m|h)$/.test(options.rest)
  ? milliseconds(options.rest)
  : refuse('--rest must be a duration such as 30s or 5m')

/** The targets. */
const target = { timesFaster: 10, operatorMB: 250 }

const peerSeconds = async (setting: Setting): Promise<number | undefined> => {
  const binary = (await findPeers(['topology-operator'], resolve(options.peers), setting.signal)).get(
    'topology-operator',
  )
  if (binary === undefined) return undefined
  say('messaging-topology-operator')
  const crds = await topologyOperatorCrds(setting.signal)
  return (await topologyOperator({ binary, crds }, count, setting)).seconds
}

const bytesPerMiB = 1_048_576
const inMB = (mib: number): number => (mib * bytesPerMiB) / 1e6

const memoryRow = (name: string, { peakMiB, nowMiB }: Memory): string[] => [
  name,
  inMB(peakMiB).toFixed(0),
  inMB(nowMiB).toFixed(0),
]

const print = (peer: number | undefined, found: WaybillFigures): void => {
  const { coldSeconds, coldMemory, oneMoreSeconds, warmSeconds, rest, restMemory, goneSeconds } = found
  const peerText = peer === undefined ? 'not measured' : `${peer.toFixed(1)} s`
  const times = tableText([
    ['', 'seconds'],
    [`messaging-topology-operator: ${count} queues and bindings are Ready`, peerText],
    [`Waybill: ${count} Subscriptions are Ready`, `${coldSeconds.toFixed(1)} s`],
    ['Waybill: one more Subscription is Ready', `${oneMoreSeconds.toFixed(2)} s`],
    ['Waybill: everything is compared with the broker after a restart', `${warmSeconds.toFixed(1)} s`],
    ['Waybill: all Subscriptions are deleted', `${goneSeconds.toFixed(1)} s`],
  ])
  const memory = tableText([
    ['MB', 'peak', 'at that time'],
    memoryRow('operator, all Ready', coldMemory.operator),
    memoryRow('operator, idle after the restart', restMemory.operator),
    memoryRow('dispatcher, all Ready', coldMemory.dispatcher),
    memoryRow('dispatcher, idle after the restart', restMemory.dispatcher),
  ])
  console.log(`\n${times}\n\n${memory}\n`)
  const writes = [...rest.writes].map(([resource, times]) => `${times} of ${resource}`).join(', ')
  const changes = rest.changes.slice(0, 5).join(', ')
  const ratio = peer === undefined ? Number.NaN : peer / coldSeconds
  const peak = Math.max(coldMemory.operator.peakMiB, restMemory.operator.peakMiB)
  judge(
    `${ratio.toFixed(1)} times as fast as the peer; target: at least ${target.timesFaster}`,
    ratio >= target.timesFaster,
  )
  judge(
    `peak memory of the operator: ${inMB(peak).toFixed(0)} MB; target: below ${target.operatorMB}`,
    inMB(peak) < target.operatorMB,
  )
  judge(
    `writes to Kubernetes in ${rest.seconds} s without work: ${writes || 'none'}; target: none`,
    rest.writes.size === 0,
  )
  judge(`changes to the broker in that time: ${changes || 'none'}; target: none`, rest.changes.length === 0)
}

const judge = (what: string, reached: boolean): void => {
  console.log(`${reached ? 'reached' : 'MISSED '}  ${what}`)
  if (!reached) process.exitCode = 1
}

await bench(async (setting) => {
  const peer = await peerSeconds(setting)
  say('Waybill')
  print(peer, await waybill(count, restMs, setting))
})
