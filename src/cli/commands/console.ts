import type { Command } from 'commander'
import type { ConsoleOptions } from '../console/cluster.ts'
import { logLevel } from './options.ts'

/** Adds `waybill console`. */
export const addConsole = (program: Command): void => {
  program
    .command('console')
    .description('serve web pages about a Kubernetes cluster: subscriptions, dead letters, Replays and Discards')
    .option('--listen <host:port>', 'where to serve /console, /healthz and /readyz', '127.0.0.1:9404')
    .option('--data-server <url>', 'where a dispatcher serves dead letters, such as https://waybill-data:9403')
    .option('--data-ca <file>', 'authority to trust for it in PEM (default: those of the system)')
    .option('--tls-cert <file>', 'certificate to serve HTTPS with in PEM; without one it must be a loopback address')
    .option('--tls-key <file>', 'key of the certificate in PEM')
    .option('--tls-in-front', 'a proxy in front of it does TLS: serve HTTP at any address')
    .option('--trust-authorization-header', 'take the token from the header Authorization, as a proxy sets it')
    .addOption(logLevel())
    .addHelpText(
      'after',
      `
The cluster is the one that $KUBECONFIG names, else the one that the pod runs in, else that of ~/.kube/config. Of its
configuration only the address and the authority are used: everything is asked with the token of the user who is logged in,
which must be one for the API server and for the audience waybill. It needs no rights, and knows no broker.

waybill run serves the same pages about itself, beside its data port.

Examples:
  waybill console --data-server https://waybill-dispatcher-data:9403 --data-ca ca.crt
  waybill console --listen :9404 --tls-cert tls.crt --tls-key tls.key --data-server https://waybill-dispatcher-data:9403`,
    )
    .action(async (options: ConsoleOptions) => {
      const { runConsole } = await import('../console/cluster.ts')
      await runConsole(options)
      process.exit(0)
    })
}
