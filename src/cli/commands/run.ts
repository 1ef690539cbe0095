import type { Command } from 'commander'
import type { RunOptions } from '../run.ts'
import { drainTimeout, instance, logLevel, resolve } from './options.ts'

/** Adds `waybill run`. */
export const addRun = (program: Command): void => {
  program
    .command('run')
    .description('run the operator and the dispatcher in one process, from manifest files')
    .requiredOption('-f, --file <path...>', 'manifest files and folders; they are watched for changes')
    .option('--listen <host:port>', 'where to serve /metrics, /healthz, /readyz and the resources', '127.0.0.1:9402')
    .option(
      '--data-listen <host:port>',
      'where to serve dead letters to this user of this machine; off for nowhere (default: 127.0.0.1:9403)',
    )
    .addOption(instance())
    .addOption(drainTimeout())
    .addOption(resolve())
    .addOption(logLevel())
    .addHelpText(
      'after',
      `
Examples:
  waybill run -f manifests/
  waybill run -f examples/omega --resolve '*.shop.svc=127.0.0.1'`,
    )
    .action(async (options: RunOptions) => {
      // Loaded only here: the other commands need no broker.
      const { run } = await import('../run.ts')
      await run(options)
      process.exit(0)
    })
}
