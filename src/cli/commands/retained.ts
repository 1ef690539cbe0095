import { type Command, InvalidArgumentError } from 'commander'
import { milliseconds } from '../../api/duration.ts'
import { exits, Failure } from '../failure.ts'
import { withRemote } from '../remote/open.ts'
import { aligned } from '../table.ts'
import { type AllNamespaces, named, namespaceOf, type Scoped, withCluster } from './dead-letter-options.ts'
import { durationOf } from './options.ts'

type RemoveOptions = Scoped & { readonly withMessages?: number; readonly empty?: boolean; readonly timeout: string }

/** Adds `waybill retained`. */
export const addRetained = (program: Command): void => {
  const command = program
    .command('retained')
    .description('queues and exchanges that resources left on a broker: show, remove')
    .helpCommand(false)
  const ls = command
    .command('ls')
    .description('what is retained, by broker')
    .option('-n, --namespace <namespace>', 'only brokers of this namespace')
    .option('-A, --all-namespaces', 'brokers of all namespaces')
  withCluster(ls).action((options: Scoped & AllNamespaces) =>
    withRemote(options, async (remote) => {
      const { retainedOf } = await import('../retained/retained.ts')
      const namespace = namespaceOf(options, remote)
      const found = await retainedOf(remote, namespace)
      const where = namespace === undefined ? '' : ` on brokers of namespace ${namespace}`
      if (found.length === 0) process.stderr.write(`Nothing is retained${where}\n`)
      else process.stdout.write(aligned([['BROKER', 'OBJECT'], ...found]))
    }),
  )
  const rm = command
    .command('rm')
    .description('have the operator remove it, if no message is in it; in a cluster')
    .argument('<broker>', 'name or namespace/name')
    .argument('[name...]', 'queues and exchanges, as ls shows them')
    .option('-n, --namespace <namespace>', "namespace of the broker (default: the context's)")
    .option('--empty', 'all in which no message is, instead of names')
    .option('--with-messages <count>', 'also if there are so many messages at most, which are deleted', countOf)
    .option('--timeout <duration>', 'wait so long', durationOf, '60s')
  withCluster(rm)
    .addHelpText(
      'after',
      `
Examples:
  waybill retained ls -A --kubernetes
  waybill retained rm rabbitmq --empty
  waybill retained rm rabbitmq waybill.sub.shop.billing --with-messages 3`,
    )
    .action((text: string, names: readonly string[], options: RemoveOptions) => {
      refuseUnclear(names, options)
      return withRemote({ ...options, kubernetes: true }, async (remote) => {
        const { removeRetained } = await import('../retained/retained.ts')
        const [broker, timeoutMs] = [named(text, options, remote), milliseconds(options.timeout)]
        const interrupted = new AbortController()
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
        const removal = { broker, names, messages: options.withMessages ?? 0, timeoutMs }
        const { removed, left } = await removeRetained(remote, removal, interrupted.signal)
        for (const object of removed) process.stderr.write(`Removed ${object}\n`)
        if (removed.length + left.length === 0) process.stderr.write(`Nothing is retained on broker ${broker.name}\n`)
        if (left.length > 0)
          throw new Failure(
            `still there, as messages are in one of the queues of its resource, or the operator is away: ${left.join(', ')}`,
          )
      })
    })
}

/** What is asked for must be one thing, and every option must have an effect. @throws Failure */
const refuseUnclear = (names: readonly string[], { empty = false, withMessages }: RemoveOptions): void => {
  if (names.length > 0 ? !empty : empty && withMessages === undefined) return
  throw new Failure('give names, with --with-messages or without, or --empty alone', { exitCode: exits.usage })
}

const countOf = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a number of messages.')
}
