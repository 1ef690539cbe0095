import { type Command, InvalidArgumentError, Option } from 'commander'
import { discard } from '../../api/kinds/discard.ts'
import { replay } from '../../api/kinds/replay.ts'
import { exits, Failure } from '../failure.ts'
import type { JobOptions, Order } from '../letters/jobs.ts'
import type { FilterOptions } from '../letters/letters.ts'
import { many, named, type Scoped, withServer } from './dead-letter-options.ts'

type SelectorOptions = Omit<FilterOptions, 'limit'> & {
  readonly all?: boolean
  readonly id?: readonly string[]
  readonly replaysAtMost?: number
  readonly max?: number
}

type ReplayOptions = SelectorOptions & {
  readonly to: string
  readonly rate?: string
  readonly canary?: number
  readonly abortOn?: number
}

/** Adds `replay`, `discard` and `restore` to `waybill dead-letters`. */
export const addJobs = (command: Command): void => {
  const again = jobCommand(command, 'replay', 'deliver dead letters once more')
    .addOption(
      new Option('--to <where>', 'the subscriber at once, or its queue')
        .choices(['subscriber', 'queue'])
        .default('subscriber'),
    )
    .addOption(new Option('--rate <requests/time>', 'how fast, such as 10/s or 100/1m').argParser(rate))
    .addOption(new Option('--canary <number>', 'try so many first, and stop where one fails').argParser(number))
    .addOption(new Option('--abort-on <percent>', 'stop when so many of the latest attempts fail').argParser(number))
  again.action((name: string, options: ReplayOptions & Run) => start(name, options, replayOrder(options)))

  jobCommand(command, 'discard', 'move dead letters to the queue waybill.discarded, for as long as the policy says')
    .requiredOption('--why <text>', 'why nobody wants them; it is written on each')
    .action((name: string, options: SelectorOptions & Run & { readonly why: string }) =>
      start(name, options, { kind: discard, spec: { ...shared(options), reason: options.why } }),
    )

  jobCommand(command, 'restore', 'make what was discarded dead letters again').action(
    (name: string, options: SelectorOptions & Run) =>
      start(name, options, { kind: replay, spec: { ...shared(options), to: 'DeadLetters' } }),
  )
}

type Run = JobOptions & Scoped

const jobCommand = (command: Command, name: string, description: string): Command =>
  withServer(command.command(name).description(description).argument('<subscription>', 'name, or namespace/name'))
    .option('--all', 'all of them')
    .addOption(many('--group <group>', 'those of these groups, as ls shows them'))
    .addOption(many('--reason <reason>', 'those given up for these reasons, such as Exhausted'))
    .addOption(many('--status <status>', 'those last answered with these status codes, such as 503 or 5xx'))
    .addOption(many('--type <type>', 'events of these types'))
    .addOption(many('--id <id>', 'these letters'))
    .option('--since <time>', 'those dead-lettered since then, such as 2026-01-31T08:00:00Z')
    .option('--until <time>', 'those dead-lettered before then')
    .addOption(new Option('--replays-at-most <number>', 'those replayed so often at most').argParser(number))
    .addOption(new Option('--max <number>', 'at most so many (default: 1000)').argParser(number))
    .option('--dry-run', 'only count what matches')
    .option('-y, --yes', 'do not ask')
    .option('--kubernetes', 'in the cluster of the kubeconfig, not of waybill run on this machine')
    .option('--status-server <url>', 'where waybill run serves its resources', 'http://127.0.0.1:9402')

const start = async (name: string, options: Run, order: Order): Promise<void> => {
  const { runJob } = await import('../letters/jobs.ts')
  if (!(await runJob(named(name, options), order, options))) process.exitCode = exits.failed
}

const replayOrder = (options: ReplayOptions): Order => ({
  kind: replay,
  spec: {
    ...shared(options),
    to: options.to === 'queue' ? 'Queue' : 'Subscriber',
    ...(options.rate === undefined ? {} : { rate: JSON.parse(options.rate) }),
    ...(options.canary === undefined ? {} : { canary: { messages: options.canary } }),
    ...(options.abortOn === undefined ? {} : { abortOn: { failureRatePercent: options.abortOn } }),
  },
})

/** The fields that all have in common. @throws Failure where nothing says which dead letters are meant */
const shared = (options: SelectorOptions) => {
  const { all, group, reason, status, type, id, since, until, replaysAtMost, max } = options
  const deadLettered = {
    ...(since === undefined ? {} : { notBefore: since }),
    ...(until === undefined ? {} : { notAfter: until }),
  }
  const selector = {
    ...(all ? { all } : {}),
    ...(group ? { groups: group } : {}),
    ...(reason ? { reasons: reason } : {}),
    ...(status ? { statusCodes: status } : {}),
    ...(type ? { types: type } : {}),
    ...(id ? { ids: id } : {}),
    ...(Object.keys(deadLettered).length > 0 ? { deadLettered } : {}),
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
