import { cpus, loadavg } from 'node:os'
import { tableText } from '../../bench/figures.ts'
import { countOf, optionsOf, refuse } from '../../bench/option.ts'
import { findBroker } from '../support/broker.ts'
import { useShared } from '../support/shared-broker.ts'
import { abort } from './abort.ts'
import { deep } from './deep.ts'
import { openGround } from './ground.ts'
import { live } from './live.ts'
import { look } from './look.ts'
import type { Figure, Scenario } from './scenario.ts'

const scenarios: Readonly<Record<string, Scenario>> = { look, abort, live, deep }

const list = Object.entries(scenarios).map(
  ([name, { about, letters }]) => `  ${name.padEnd(8)} ${about} (${letters.toLocaleString('en')})`,
)
const help = `npm run soak -- [OPTIONS]

What only shows with very many dead letters: takes minutes, and gigabytes of the broker's disk. Each has a virtual host of its
own, which is dropped. Ends with 1 where a target is missed.

${list.join('\n')}

  --only NAMES      these alone, such as look,abort
  --letters N       so many dead letters, instead of the numbers above
  --rate N          messages a second of a Replay (500)
  --live N          live messages a second of each Subscription (100)
  --answer-ms N     how long their subscribers need for a message (25)
  --rounds N        how often latencies are measured with and without, in turn (8)
  --broker NAME     3 or 4: a broker of ../shared/brokers. Default: that of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL, or one
                    that is found or started`

const defaults = {
  only: Object.keys(scenarios).join(','),
  letters: '',
  rate: '500',
  live: '100',
  'answer-ms': '25',
  rounds: '8',
  broker: '',
}
const options = optionsOf(help, defaults)
const chosen = options.only.split(',').map((name) => {
  const scenario = scenarios[name]
  return scenario ? ([name, scenario] as const) : refuse(`--only: there is no ${JSON.stringify(name)}`)
})
const size = {
  rate: countOf('--rate', options.rate),
  live: countOf('--live', options.live),
  rounds: countOf('--rounds', options.rounds),
  answerMs: countOf('--answer-ms', options['answer-ms']),
}

if (options.broker !== '') await useShared(options.broker)
const broker = await findBroker({ log: console.log })
Object.assign(process.env, { RABBITMQ_URL: broker.amqpUrl, RABBITMQ_MANAGEMENT_URL: broker.managementUrl })
console.log(`RabbitMQ ${broker.version} (${broker.origin}), Node ${process.versions.node}, ${cpus().length} cores`)

const begun = performance.now()
const say = (line: string): void =>
  console.log(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(7)}  ${line}`)

/** What is interrupted leaves no million of messages behind. */
let current: AsyncDisposable | undefined
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, async () => {
    await current?.[Symbol.asyncDispose]()
    await broker.stop()
    process.exit(130)
  })

const run = async (name: string, scenario: Scenario): Promise<Figure[]> => {
  const letters = options.letters === '' ? scenario.letters : countOf('--letters', options.letters)
  say(`${name}: ${letters.toLocaleString('en')} dead letters; the load of this machine is ${loadavg()[0]?.toFixed(1)}`)
  await using ground = await openGround(scenario.resyncInterval)
  current = ground
  return await scenario.run(ground, { ...size, letters }, say)
}

let missed = 0
for (const [name, scenario] of chosen) {
  const figures = await run(name, scenario)
  missed += figures.filter(({ isReached }) => !isReached).length
  const rows = figures.map(({ what, is, target, isReached }) => [what, target, isReached ? is : `MISSED: ${is}`])
  console.log(`\n${tableText([['', 'target', name], ...rows])}\n`)
}
await broker.stop()
process.exit(missed > 0 ? 1 : 0)
