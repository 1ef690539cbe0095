import { type Command, InvalidArgumentError, Option } from 'commander'
import { discard } from '../../api/kinds/discard.ts'
import { replay } from '../../api/kinds/replay.ts'
import { exits, Failure } from '../failure.ts'
import { type FilterOptions, selectorOf } from '../letters/filter.ts'
import type { JobOptions, Order } from '../letters/jobs.ts'
import { type SourceName, sourceNames } from '../letters/source.ts'
import { withRemote } from '../remote/open.ts'
import { named, type Scoped, withFilter, withServer } from './dead-letter-options.ts'

type SelectorOptions = Omit<FilterOptions, 'limit'> & {
  readonly all?: boolean
  readonly replaysAtMost?: number
  readonly max?: number
}

type ReplayOptions = SelectorOptions & {
  readonly to?: string
  readonly toSubscription?: string
  readonly toQueue?: string
  readonly rate?: string
  readonly canary?: number
  readonly abortOn?: number
}

/** Adds `replay`, `discard` and `restore` to `waybill dead-letters`. */
export const addJobs = (command: Command): void => {
  const again = jobCommand(command, 'replay', 'deliver dead letters once more: one attempt each, what fails stays')
    .addOption(
      new Option(
        '--to <where>',
        'the subscriber at once, or its queue, with all its retries (default: subscriber; with --from queue or topic: where they were)',
      ).choices(['subscriber', 'queue']),
    )
    .option('--to-subscription <name>', 'the queue of another subscription, in the same namespace')
    .option('--to-queue <name>', 'another queue, in the same namespace')
    .addOption(new Option('--rate <requests/time>', 'how fast, such as 10/s or 100/1m').argParser(rate))
    .addOption(new Option('--canary <number>', 'try so many first, and stop where one fails').argParser(number))
    .addOption(new Option('--abort-on <percent>', 'stop when so many of the latest attempts fail').argParser(number))
  again.action((name: string, options: ReplayOptions & Run) => start(name, options, replayOrder(options)))

  jobCommand(command, 'discard', 'move dead letters to the queue waybill.discarded, for as long as the policy says')
    .requiredOption('--why <text>', 'why nobody wants them; it is written on each')
    .action((name: string, options: SelectorOptions & Run & { readonly why: string }) =>
      start(name, options, { kind: discard, from: options.from, spec: { ...shared(options), reason: options.why } }),
    )

  jobCommand(command, 'restore', 'make what was discarded dead letters again').action(
    (name: string, options: SelectorOptions & Run) =>
      start(name, options, { kind: replay, from: options.from, spec: { ...shared(options), to: 'DeadLetters' } }),
  )
}

type Run = JobOptions & Scoped & { readonly from: SourceName }

const jobCommand = (command: Command, name: string, description: string): Command =>
  withServer(
    withFilter(
      command
        .command(name)
        .description(description)
        .argument('<subscription>', 'name, or namespace/name; with --from, of the queue, topic or broker')
        .addOption(
          new Option(
            '--from <source>',
            'dead letters of a subscription or queue, parked events of a topic, orphans of a broker',
          )
            .choices(sourceNames)
            .default('subscription'),
        )
        .option('--all', 'all of them'),
    )
      .addOption(new Option('--replays-at-most <number>', 'those replayed so often at most').argParser(number))
      .addOption(
        new Option('--max <number>', 'take so many at most, the oldest first (default: 1000)').argParser(number),
      )
      .option('--dry-run', 'only count what matches')
      .option('-y, --yes', 'do not ask'),
  ).addHelpText('after', `\n${help}`)

const help = `It counts what matches, asks, and then shows how it goes on; Ctrl-C stops watching, and the work goes on.
What is dead-lettered after it began is left alone.

Exits with 0 when everything that matches was done, also where nothing does; with 1 when some failed, it was stopped,
not agreed to or no longer watched, or --max left some; with 2 when it was called wrongly; with 3 when it is not permitted.`

const start = async (name: string, options: Run, order: Order): Promise<void> => {
  const { runJob } = await import('../letters/jobs.ts')
  await withRemote(options, async (remote) => {
    if (!(await runJob(remote, named(name, options, remote), order, options))) process.exitCode = exits.failed
  })
}

const replayOrder = (options: ReplayOptions & Run): Order => ({
  kind: replay,
  from: options.from,
  spec: {
    ...shared(options),
    ...(options.to === undefined ? {} : { to: options.to === 'queue' ? 'Queue' : 'Subscriber' }),
    ...targetOf(options),
    ...(options.rate === undefined ? {} : { rate: JSON.parse(options.rate) }),
    ...(options.canary === undefined ? {} : { canary: { messages: options.canary } }),
    ...(options.abortOn === undefined ? {} : { abortOn: { failureRatePercent: options.abortOn } }),
  },
})

const targetOf = ({ toSubscription, toQueue }: ReplayOptions) => {
  const target = {
    ...(toSubscription === undefined ? {} : { subscriptionRef: { name: toSubscription } }),
    ...(toQueue === undefined ? {} : { queueRef: { name: toQueue } }),
  }
  return Object.keys(target).length === 0 ? {} : { target }
}

/** The fields that all have in common. @throws Failure where nothing says which dead letters are meant */
const shared = (options: SelectorOptions) => {
  const { all, replaysAtMost, max } = options
  const selector = {
    ...(all ? { all } : {}),
    ...selectorOf(options, Date.now()),
    ...(replaysAtMost === undefined ? {} : { replaysAtMost }),
  }
  if (Object.keys(selector).length === 0)
    throw new Failure('say which dead letters are meant: --all, or --group, --status and the like', {
      exitCode: exits.usage,
    })
  return { selector, ...(max === undefined ? {} : { maxMessages: max }) }
}

const number = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a number.')
}

/** As the field `rate`, in JSON. */
const rate = (text: string): string => {
  const [, requests, per = ''] = /^(\d{1,5})\/(s|m|h|[0-9a-z]{2,8})$/.exec(text) ?? []
  if (requests === undefined) throw new InvalidArgumentError('Use requests and a time, such as 10/s or 100/1m.')
  return JSON.stringify({ requests: Number(requests), per: /^[smh]$/.test(per) ? `1${per}` : per })
}
