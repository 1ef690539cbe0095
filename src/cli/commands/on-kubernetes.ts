import type { Command } from 'commander'
import type { DispatcherOptions } from '../dispatcher.ts'
import type { OperatorOptions } from '../operator.ts'
import { drainTimeout, instance, logLevel, peers } from './options.ts'

/** Adds `waybill operator`. */
export const addOperator = (program: Command): void => {
  onKubernetes(program, 'operator', 'keep RabbitMQ equal to the resources in a Kubernetes cluster')
    .addOption(instance())
    .option('--dispatcher-lease-name <name>', 'name of the Lease that a dispatcher holds', 'waybill-dispatcher')
    .addHelpText(
      'after',
      `
${whichCluster}
Any number of replicas may run. The one that holds the Lease leads; another takes over when it stops, or when it has not
renewed the Lease for 15 s.

Examples:
  waybill operator
  waybill operator --watch-namespace shop --lease-namespace shop`,
    )
    .action(async (options: OperatorOptions) => {
      const { operator } = await import('../operator.ts')
      await operator(options)
      process.exit(0)
    })
}

/** Adds `waybill dispatcher`. */
export const addDispatcher = (program: Command): void => {
  onKubernetes(program, 'dispatcher', 'deliver messages to the subscribers in a Kubernetes cluster')
    .addOption(drainTimeout())
    .option('--allow-loopback', 'allow subscribers at loopback addresses of this machine')
    .addOption(peers())
    .option('--data-listen <host:port>', 'where to serve dead letters to those who may see them (default: nowhere)')
    .option('--data-tls-cert <file>', 'certificate for it in PEM; without one it must be a loopback address')
    .option('--data-tls-key <file>', 'key of the certificate in PEM')
    .addHelpText(
      'after',
      `
${whichCluster}
Any number of replicas may run, and all of them deliver. The one that holds the Lease writes the statuses, for all --peers.
Dead letters are served to callers with a bearer token for the audience waybill, as far as RBAC allows them
subscriptions/deadletters (list, get, update) and subscriptions/deadletterbodies (get).

Examples:
  waybill dispatcher
  waybill dispatcher --peers waybill-dispatcher-peers:9402 --drain-timeout 1m`,
    )
    .action(async (options: DispatcherOptions) => {
      const { dispatcher } = await import('../dispatcher.ts')
      await dispatcher(options)
      process.exit(0)
    })
}

/** A command with the options that both have in common. */
const onKubernetes = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option('--listen <host:port>', 'where to serve /metrics, /healthz and /readyz', ':9402')
    .option('--watch-namespace <namespace...>', 'watch only these namespaces (default: all)')
    .option(
      '--watch-namespace-selector <labels>',
      'watch only namespaces with these labels, such as team=orders,env!=test',
    )
    .option('--lease-namespace <namespace>', "namespace of the Lease (default: the pod's, or the kubeconfig context's)")
    .option('--lease-name <name>', 'name of the Lease that the leading replica holds', `waybill-${name}`)
    .option('--identity <name>', 'name of this replica in the Lease and in Events (default: the host name)')
    .addOption(logLevel())

const whichCluster =
  'The cluster is the one that $KUBECONFIG names, else the one that the pod runs in, else that of ~/.kube/config.'
