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

Waybill's operator and dispatcher on a real API server (etcd and kube-apiserver of their own), beside RabbitMQ's own
messaging-topology-operator: from the start of the processes until all is Ready that was created before. The peer has
quorum queues with a binding each; Waybill has Subscriptions, each with a queue, a dead-letter queue, two bindings and a
consumer. Then: one Subscription more, a restart, memory, whether anything is written while there is nothing to do, and
their end.

  -n COUNT          Subscriptions, and queues and bindings of the peer (1000)
  --rest DURATION   how long nothing may be written (30s)
  --peers FOLDER    where the peer's binary is, and is built when missing (${peersFolder})

Ends with 1 when a target is missed. The broker is the one that RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL name, else a
private one.`

const options = optionsOf(help, { n: '1000', rest: '30s', peers: peersFolder })
const count = countOf('-n', options.n)
const restMs = /^\d+(ms|s|m|h)$/.test(options.rest) ? milliseconds(options.rest) : refuse('--rest: such as 30s or 5m')

/** What is asked of Waybill. */
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
  const peerText = peer === undefined ? 'left out' : `${peer.toFixed(1)} s`
  const times = tableText([
    ['', 'seconds'],
    [`messaging-topology-operator: ${count} queues and bindings are Ready`, peerText],
    [`Waybill: ${count} Subscriptions are Ready`, `${coldSeconds.toFixed(1)} s`],
    ['Waybill: one Subscription more is Ready', `${oneMoreSeconds.toFixed(2)} s`],
    ['Waybill: restarted, everything is compared with the broker', `${warmSeconds.toFixed(1)} s`],
    ['Waybill: kubectl deletes them all, and they are gone', `${goneSeconds.toFixed(1)} s`],
  ])
  const memory = tableText([
    ['MB', 'peak', 'then'],
    memoryRow('operator, all Ready', coldMemory.operator),
    memoryRow('operator, restarted and at rest', restMemory.operator),
    memoryRow('dispatcher, all Ready', coldMemory.dispatcher),
    memoryRow('dispatcher, restarted and at rest', restMemory.dispatcher),
  ])
  console.log(`\n${times}\n\n${memory}\n`)
  const writes = [...rest.writes].map(([resource, times]) => `${times} of ${resource}`).join(', ')
  const changes = rest.changes.slice(0, 5).join(', ')
  const ratio = peer === undefined ? Number.NaN : peer / coldSeconds
  const peak = Math.max(coldMemory.operator.peakMiB, restMemory.operator.peakMiB)
  judge(`${ratio.toFixed(1)} times as fast as the peer, at least ${target.timesFaster}`, ratio >= target.timesFaster)
  judge(`operator's memory below ${target.operatorMB} MB`, inMB(peak) < target.operatorMB)
  judge(`writes to Kubernetes in ${rest.seconds} s at rest: ${writes || 'none'}`, rest.writes.size === 0)
  judge(`changing calls to the broker meanwhile: ${changes || 'none'}`, rest.changes.length === 0)
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
