import { median, quantile, tableText } from './figures.ts'
import { type Company, type Isolation, type Load, onTrial, type Trial } from './isolation-trial.ts'
import { countOf, optionsOf } from './option.ts'
import { bench, say } from './setting.ts'

const help = `npm run bench:isolation [-- OPTIONS]

Measures how much a subscription whose endpoint hangs slows down another one, whose endpoint answers at once. In one
Waybill, the prompt subscription is measured alone and beside the hanging one, alternately, many times. The hanging one
has its maximum of deliveries in flight and thousands of messages waiting; for a measurement alone it is suspended.
Prints these figures, and their ratios of beside to alone:

  msg/s             throughput while a backlog is drained
  p50, p99          latency from publishing to arrival, at a steady rate

  -n COUNT          messages in the backlog (5000)
  --rate COUNT      messages a second while the latency is measured (500)
  --seconds COUNT   how long the latency is measured (2)
  --rounds COUNT    how often both are measured; medians are printed (15)

Uses the broker of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL if they are set, else a private one.`

const options = optionsOf(help, { n: '5000', rate: '500', seconds: '2', rounds: '15' })
const rounds = countOf('--rounds', options.rounds)
const load: Load = {
  backlog: countOf('-n', options.n),
  perSecond: countOf('--rate', options.rate),
  seconds: countOf('--seconds', options.seconds),
}

/** The target: beside the hanging subscription, throughput and p99 are worse by at most this share. */
const tolerance = 0.1

type Pair = Readonly<Record<Company, Isolation>>

/** The order alternates, because the machine's speed drifts during the measurement. */
const pairOf = async ({ measure }: Trial, round: number): Promise<Pair> => {
  const order = round % 2 === 1 ? (['alone', 'beside'] as const) : (['beside', 'alone'] as const)
  const found: Partial<Record<Company, Isolation>> = {}
  for (const company of order) {
    const one = await measure(company)
    found[company] = one
    say(`  ${company.padEnd(6)}  ${cells(one).join('   ')}`)
  }
  return found as Pair
}

const cells = ({ perSecond, p50Ms, p99Ms }: Isolation): string[] => [
  `${perSecond.toFixed(0)} msg/s`,
  `p50 ${p50Ms.toFixed(2)} ms`,
  `p99 ${p99Ms.toFixed(2)} ms`,
]

const figures = { perSecond: 'msg/s', p50Ms: 'p50 ms', p99Ms: 'p99 ms' } as const
type Figure = keyof typeof figures

const row = (name: string, cell: (figure: Figure) => string): string[] => [
  name,
  ...(Object.keys(figures) as Figure[]).map(cell),
]

const quartilesText = (numbers: readonly number[]): string =>
  [0.25, 0.75].map((share) => quantile(numbers, share).toFixed(2)).join('–')

const print = (pairs: readonly Pair[]): void => {
  const of = (company: Company) => (figure: Figure) =>
    median(pairs.map((pair) => pair[company][figure])).toFixed(figure === 'perSecond' ? 0 : 2)
  const ratios = (figure: Figure) => pairs.map(({ alone, beside }) => beside[figure] / alone[figure])
  // The machine's own noise: the same thing measured twice.
  const noise = (figure: Figure) =>
    pairs.slice(1).map(({ alone }, at) => alone[figure] / (pairs[at]?.alone[figure] ?? Number.NaN))
  const table = tableText([
    row('Medians', (figure) => figures[figure]),
    row('alone', of('alone')),
    row('beside', of('beside')),
    row('beside / alone', (figure) => median(ratios(figure)).toFixed(2)),
    row('  quartiles', (figure) => quartilesText(ratios(figure))),
    row('alone / alone before', (figure) => median(noise(figure)).toFixed(2)),
    row('  quartiles', (figure) => quartilesText(noise(figure))),
  ])
  console.log(`\n${table}`)
  const isReached = median(ratios('perSecond')) >= 1 - tolerance && median(ratios('p99Ms')) <= 1 + tolerance
  console.log(`\nTarget (throughput and p99 within ${tolerance * 100} %): ${isReached ? 'reached' : 'missed'}`)
}

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
