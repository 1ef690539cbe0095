import { parseArgs } from 'node:util'
import { median, tableText } from './figures.ts'
import { type Isolation, type Load, onTrial, type Trial } from './isolation-trial.ts'
import { countOf } from './option.ts'
import { bench, say } from './setting.ts'

const help = `npm run bench:isolation [-- OPTIONS]

What a subscription whose endpoint hangs costs its neighbour, whose endpoint answers at once: the neighbour alone and
beside it, in turn, many times in one Waybill. The hanging one has as many deliveries in flight as it may, and thousands
of messages waiting; for the neighbour to be alone it is suspended. Prints, and as ratios of beside to alone:

  msg/s             of a backlog being drained
  p50, p99          of the time from publishing to arrival, at a steady rate

  -n COUNT          messages in the backlog (10000)
  --rate COUNT      messages a second for the latency (500)
  --seconds COUNT   for how long (5)
  --rounds COUNT    how often both are measured; medians are printed (7)

The broker is the one that RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL name, else a private one.`

const { values: options } = parseArgs({
  options: {
    n: { type: 'string', short: 'n', default: '10000' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '7' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

/** What is asked of Waybill: beside the hanging one, throughput and p99 are at most this share worse. */
const tolerance = 0.1

type Pair = { readonly alone: Isolation; readonly beside: Isolation }

/** Who goes first changes, for the machine changes while it is measured. */
const pairOf = async ({ measure }: Trial, round: number): Promise<Pair> => {
  const order = round % 2 === 1 ? (['alone', 'beside'] as const) : (['beside', 'alone'] as const)
  const found: Record<string, Isolation> = {}
  for (const company of order) {
    const one = await measure(company)
    found[company] = one
    say(`  ${company}  ${cells(one).join('   ')}`)
  }
  return found as Pair
}

const figures = ['perSecond', 'p50Ms', 'p99Ms'] as const
const medians = (of: (figure: (typeof figures)[number]) => readonly number[]): Isolation => ({
  perSecond: median(of('perSecond')),
  p50Ms: median(of('p50Ms')),
  p99Ms: median(of('p99Ms')),
})

const cells = ({ perSecond, p50Ms, p99Ms }: Isolation): string[] => [
  `${perSecond.toFixed(0)} msg/s`,
  `p50 ${p50Ms.toFixed(2)} ms`,
  `p99 ${p99Ms.toFixed(2)} ms`,
]

const print = (pairs: readonly Pair[]): void => {
  const alone = medians((figure) => pairs.map((each) => each.alone[figure]))
  const beside = medians((figure) => pairs.map((each) => each.beside[figure]))
  const ratios = medians((figure) => pairs.map((each) => each.beside[figure] / each.alone[figure]))
  console.log(
    `\n${tableText([
      ['Medians', ...Object.values({ perSecond: 'msg/s', p50Ms: 'p50 ms', p99Ms: 'p99 ms' })],
      ...Object.entries({ alone, beside }).map(([name, { perSecond, p50Ms, p99Ms }]) => [
        name,
        perSecond.toFixed(0),
        p50Ms.toFixed(2),
        p99Ms.toFixed(2),
      ]),
      ['beside / alone', ...figures.map((figure) => ratios[figure].toFixed(2))],
    ])}`,
  )
  const isReached = ratios.perSecond >= 1 - tolerance && ratios.p99Ms <= 1 + tolerance
  console.log(`\nThe target, within ${tolerance * 100} % in throughput and p99, is ${isReached ? 'reached' : 'missed'}`)
}

if (options.help) console.log(help)
else {
  const load: Load = {
    backlog: countOf('-n', options.n),
    perSecond: countOf('--rate', options.rate),
    seconds: countOf('--seconds', options.seconds),
  }
  const rounds = countOf('--rounds', options.rounds)
  await bench(async (setting) => {
    const pairs: Pair[] = []
    await onTrial(setting, load, async (trial) => {
      for (let round = 1; round <= rounds; round += 1) {
        say(`round ${round}/${rounds}`)
        pairs.push(await pairOf(trial, round))
      }
    })
    print(pairs)
  })
}
