import { resolve } from 'node:path'
import { fill } from './backlog.ts'
import type { Contender, Stage } from './contender.ts'
import { bento } from './contenders/bento.ts'
import { dapr } from './contenders/dapr.ts'
import { knative } from './contenders/knative.ts'
import { waybill } from './contenders/waybill.ts'
import { type Figures, measure } from './measure.ts'
import { countOf, optionsOf, refuse } from './option.ts'
import { findPeers, type Peer, peers, peersFolder } from './peers/build.ts'
import { figuresText, type Result, ratioOf, ratiosText } from './ratios.ts'
import { bench, type Setting, say } from './setting.ts'

const help = `npm run bench [-- OPTIONS]

Compares Waybill with the dispatchers of Knative, Dapr and Bento on one broker and one sink. Each in turn delivers a
backlog of persistent messages of 512 bytes from a quorum queue. Prints CPU, throughput and memory of each, and the
ratios of Waybill to the others.

  -n COUNT          messages in a backlog (40000); with few messages, the compilation by V8 dominates Waybill's figures
  --rounds COUNT    how often each runs; medians are printed (3)
  --in-flight N     concurrent deliveries (64)
  --only NAMES      run only some of waybill,knative,dapr,bento
  --peers FOLDER    folder of the peers' binaries, which are built if missing (${peersFolder})

Uses the broker of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL if they are set, else a private one.`

const options = optionsOf(help, {
  n: '40000',
  rounds: '3',
  'in-flight': '64',
  only: ['waybill', ...peers].join(),
  peers: peersFolder,
})
const count = countOf('-n', options.n)
const rounds = countOf('--rounds', options.rounds)
const inFlight = countOf('--in-flight', options['in-flight'])
const wanted = options.only.split(',')
const unknown = wanted.find((name) => name !== 'waybill' && !peers.some((peer) => peer === name))
if (unknown !== undefined) refuse(`--only: unknown name ${unknown}; choose from waybill, ${peers.join(', ')}`)

/** The target: CPU per delivery, as a ratio to Dapr's in the same round. */
const target = { peer: 'dapr', ratio: 0.5 }

const contenders: Readonly<Record<Peer, (binary: string) => Contender>> = { knative, dapr, bento }
const wantedPeers = peers.filter((peer) => wanted.includes(peer))

const turn = ({ sink, signal, onFreshVhost }: Setting, contender: Contender): Promise<Figures> =>
  onFreshVhost(async (vhost, folder) => {
    const stage: Stage = { vhost, sink, folder, inFlight, signal }
    try {
      const entry = await contender.enter(stage)
      await fill(vhost.amqpUrl, { ...entry, count })
      return await measure(entry, count, stage)
    } catch (cause) {
      throw new Error(`${contender.name} did not finish`, { cause })
    }
  })

const race = async (setting: Setting, entered: readonly Contender[]): Promise<Result[]> => {
  const results = entered.map((contender) => ({ contender, name: contender.name, rounds: [] as Figures[] }))
  for (let round = 1; round <= rounds; round += 1) {
    for (const { contender, rounds: figures } of results) {
      setting.signal.throwIfAborted()
      const found = await turn(setting, contender)
      figures.push(found)
      const { cpuUs, perSecond, peakRssMiB } = found
      const text = `${cpuUs.toFixed(1)} µs/message, ${perSecond.toFixed(0)} msg/s, ${peakRssMiB.toFixed(0)} MiB`
      say(`round ${round}/${rounds}  ${contender.name.padEnd(8)} ${text}`)
    }
  }
  return results
}

const print = (results: readonly Result[]): void => {
  console.log(`\nMedians\n${figuresText(results)}`)
  const leftOut = wantedPeers.filter((peer) => !results.some(({ name }) => name === peer))
  if (leftOut.length > 0) console.log(`\n*** NOT MEASURED: ${leftOut.join(', ')} (see the reason above)`)
  const ours = results.find(({ name }) => name === 'waybill')
  const others = results.filter((result) => result !== ours)
  if (ours === undefined || others.length === 0) return
  console.log(`\nRatios (median of the ratios of each round)\n${ratiosText(ours, others)}`)
  const peer = others.find(({ name }) => name === target.peer)
  if (peer === undefined) return
  const ratio = ratioOf(ours, peer, 'cpuUs')
  const verdict = ratio <= target.ratio ? 'reached' : 'missed'
  console.log(`\nCPU per delivery, ratio to Dapr: ${ratio.toFixed(2)}; target (at most ${target.ratio}): ${verdict}`)
}

await bench(async (setting) => {
  const found = await findPeers(wantedPeers, resolve(options.peers), setting.signal)
  const others = [...found].map(([peer, binary]) => contenders[peer](binary))
  print(await race(setting, [...(wanted.includes('waybill') ? [waybill] : []), ...others]))
})
