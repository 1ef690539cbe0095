import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ResourceName } from '../../api/resource.ts'
import { called } from '../called.ts'
import { exits, Failure } from '../failure.ts'
import type { FilterOptions } from '../letters/filter.ts'
import type { Remote, RemoteOptions } from '../remote/remote.ts'

export type Scoped = RemoteOptions & { readonly namespace?: string }

/** The subscription that is meant. @throws Failure */
export const named = (text: string, { namespace }: Scoped, remote: Pick<Remote, 'namespace'>): ResourceName => {
  const [name = '', within = namespace ?? remote.namespace] = text.split('/').toReversed()
  const isTwice = namespace !== undefined && within !== namespace
  if (name !== '' && within !== '' && !isTwice && text.split('/').length <= 2) return { namespace: within, name }
  throw new Failure(`"${text}" is not a name or namespace/name`, { exitCode: exits.usage })
}

export type AllNamespaces = { readonly allNamespaces?: boolean }

/** `undefined` for all. */
export const namespaceOf = (
  { namespace, allNamespaces }: Scoped & AllNamespaces,
  remote: Remote,
): string | undefined => (allNamespaces ? undefined : (namespace ?? (remote.isCluster ? remote.namespace : undefined)))

/** Which Waybill is meant: the one in a cluster, or `waybill run` on this machine. */
export const withCluster = (command: Command): Command => {
  if (!called.isPlugin)
    command.option('--kubernetes', 'ask the Waybill in the cluster of the kubeconfig, not waybill run on this machine')
  command
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'path of the kubeconfig (default: $KUBECONFIG, else ~/.kube/config)')
  return command
}

/** And where it serves dead letters. */
export const withServer = (command: Command): Command => {
  command.optionsGroup('Which Waybill:')
  const usual = called.isPlugin
    ? "the leader's, through the API server"
    : "http://127.0.0.1:9403; in a cluster the leader's, through the API server"
  if (!called.isPlugin)
    command.option('--status-server <url>', 'where waybill run serves its resources (default: http://127.0.0.1:9402)')
  return withCluster(
    command.option(
      '-n, --namespace <namespace>',
      `namespace of the subscription (default: ${called.isPlugin ? "the context's" : "default; in a cluster the context's"})`,
    ),
  )
    .option('--server <url>', `address of the data port (default: ${usual})`)
    .option(
      '--token <token>',
      `token for it, of the audience waybill (default: $WAYBILL_TOKEN${called.isPlugin ? '' : ', else that of waybill run on this machine'})`,
    )
    .option('--as-service-account <name>', 'in a cluster: make a token for this ServiceAccount of the namespace')
    .option(
      '--waybill-namespace <namespace>',
      'in a cluster: where Waybill runs (default: $WAYBILL_NAMESPACE, else waybill)',
    )
    .option('--lease-name <name>', "in a cluster: the dispatcher's Lease (default: waybill-dispatcher)")
    .optionsGroup('Options:')
}

/** An option that may be given several times. */
export const many = (flags: string, description: string): Option =>
  new Option(flags, `${description}`).argParser((text, before: readonly string[] = []) => [...before, text])

/** Which dead letters are meant; what is given must all hold. */
export const withFilter = (command: Command): Command =>
  command
    .optionsGroup('Which dead letters (all that is given must hold):')
    .addOption(many('--group <group>', 'those of these groups, as ls shows them'))
    .addOption(many('--reason <reason>', 'those given up for these reasons, such as Exhausted'))
    .addOption(many('--status <status>', 'those last answered with these status codes, such as 503 or 5xx'))
    .addOption(many('--type <type>', 'events of these types'))
    .addOption(many('--id <id>', 'these letters'))
    .addOption(header())
    .option('--since <time>', 'those dead-lettered since then: 2h for two hours ago, or 2026-01-31T08:00:00Z')
    .option('--until <time>', 'those dead-lettered before then: 2h for two hours ago, or 2026-01-31T08:00:00Z')
    .optionsGroup('Options:')

const header = (): Option =>
  new Option('--header <name=value>', 'those with all of these headers').argParser(
    (text, before: FilterOptions['header'] = []) => {
      if (/^[^=]+=/.test(text)) return [...before, text]
      throw new InvalidArgumentError('Use a name and a value, such as x-tenant=acme.')
    },
  )
