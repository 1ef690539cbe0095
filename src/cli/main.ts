#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { isDuration } from '../api/schema/fields.ts'
import { PeerNameError, peerName } from '../dispatcher/replicas/peers.ts'
import { logLevels } from '../telemetry/log.ts'
import type { DispatcherOptions } from './dispatcher.ts'
import { Failure } from './failure.ts'
import type { GetOptions } from './get.ts'
import type { OperatorOptions } from './operator.ts'
import { type Entry, entryOf } from './resolve.ts'
import type { RunOptions } from './run.ts'

const outputs = ['table', 'wide', 'json', 'yaml'] as const satisfies GetOptions['output'][]
const defaultServer = 'http://127.0.0.1:9402'

const version = (): string => JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version

/** What `instance` may be: it is written into claims, in front of a colon. */
const instanceName = (text: string): string => {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return text
  throw new InvalidArgumentError('Use lower-case letters, digits and hyphens, at most 63.')
}

const durationText = (text: string): string => {
  if (isDuration(text)) return text
  throw new InvalidArgumentError('Use a duration such as 30s, 5m or 1h30m.')
}

const resolveEntry = (text: string, previous: readonly Entry[] = []): Entry[] => {
  const entry = entryOf(text)
  if (entry) return [...previous, entry]
  throw new InvalidArgumentError("Use a name and an IP address, such as '*.shop.svc=127.0.0.1'.")
}

const peer = (text: string, previous: readonly string[] = []): string[] => {
  try {
    peerName(text)
  } catch (error) {
    if (error instanceof PeerNameError) throw new InvalidArgumentError(error.message)
    throw error
  }
  return [...previous, text]
}

const instance = () =>
  new Option('--instance <name>', 'marks what this installation declares on the broker')
    .default('waybill')
    .argParser(instanceName)
const drainTimeout = () =>
  new Option('--drain-timeout <duration>', 'how long deliveries in flight may take to end after SIGTERM')
    .default('30s')
    .argParser(durationText)
const logLevel = () => new Option('--log-level <level>', 'default: LOG_LEVEL, else info').choices(logLevels)

const program = new Command('waybill')
  .description('Delivers RabbitMQ messages to HTTP subscribers, from declarations.')
  .version(version(), '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print help')
  .helpCommand(false)
  .showHelpAfterError('(waybill --help says what there is)')
  .configureHelp({ showGlobalOptions: false })
  .exitOverride()

program
  .command('run')
  .description('run operator and dispatcher in one process, on manifests from files')
  .requiredOption('-f, --file <path...>', 'files and folders of manifests; they are watched')
  .option('--listen <host:port>', 'where to serve /metrics, /healthz, /readyz and the resources', '127.0.0.1:9402')
  .addOption(instance())
  .addOption(drainTimeout())
  .addOption(
    new Option(
      '--resolve <name=address...>',
      'an address for a name of a broker or subscriber; *. in front means all that end so',
    ).argParser(resolveEntry),
  )
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
    const { run } = await import('./run.ts')
    await run(options)
    process.exit(0)
  })

/** What the commands that work on Kubernetes have in common. */
const onKubernetes = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option('--listen <host:port>', 'where to serve /metrics, /healthz and /readyz', ':9402')
    .option('--watch-namespace <namespace...>', 'only resources of these namespaces')
    .option('--lease-namespace <namespace>', "where the Lease is (default: the pod's, or the context's)")
    .option('--lease-name <name>', 'the Lease that one of all replicas has', `waybill-${name}`)
    .option('--identity <name>', 'names this replica in the Lease and in Events (default: the name of the host)')
    .addOption(logLevel())

const whichCluster = 'The cluster is that of $KUBECONFIG, else of the pod that it runs in, else of ~/.kube/config.'

onKubernetes('operator', 'keep RabbitMQ equal to the resources in a Kubernetes cluster')
  .addOption(instance())
  .addHelpText(
    'after',
    `
${whichCluster}
Any number may run: one has the Lease and leads, the others take over when it ends or is not heard of for 15 s.

Examples:
  waybill operator
  waybill operator --watch-namespace shop --lease-namespace shop`,
  )
  .action(async (options: OperatorOptions) => {
    const { operator } = await import('./operator.ts')
    await operator(options)
    process.exit(0)
  })

onKubernetes('dispatcher', 'send messages to the subscribers of a Kubernetes cluster')
  .addOption(drainTimeout())
  .option('--allow-loopback', 'let subscribers be on this machine')
  .addOption(
    new Option('--peers <host:port...>', 'where all replicas listen; a name stands for all its addresses').argParser(
      peer,
    ),
  )
  .addHelpText(
    'after',
    `
${whichCluster}
Any number may run, and all of them deliver. The one that has the Lease writes on the resources, for all --peers.

Examples:
  waybill dispatcher
  waybill dispatcher --peers waybill-dispatcher-peers:9402 --drain-timeout 1m`,
  )
  .action(async (options: DispatcherOptions) => {
    const { dispatcher } = await import('./dispatcher.ts')
    await dispatcher(options)
    process.exit(0)
  })

program
  .command('get')
  .description('show resources and how they are, from a running Waybill')
  .argument(
    '[kind]',
    'broker, topic, queue, subscription, deadletterpolicy, their plurals or short names; all when left out',
  )
  .argument('[name]', 'only the resource of this name; kind/name is understood too')
  .option('-n, --namespace <namespace>', 'only this namespace')
  .addOption(new Option('-o, --output <format>', 'how to print').choices(outputs).default('table'))
  .option('--server <url>', 'where Waybill runs', defaultServer)
  .addHelpText('after', '\nExamples:\n  waybill get\n  waybill get subscription billing -n shop -o json')
  .action(async (kind: string | undefined, name: string | undefined, options: GetOptions) => {
    const { get } = await import('./get.ts')
    const text = await get(kind, name, options)
    if (text === '') process.stderr.write('No resources found\n')
    process.stdout.write(text)
  })

program
  .command('lint')
  .description('check manifests without a broker')
  .argument('<path...>', 'files and folders of manifests')
  .addHelpText(
    'after',
    `
Checks each manifest alone (fields, types, rules) and all of them together (references, names claimed twice, names too
long for RabbitMQ). Secrets that are not among the files, and kinds that are not Waybill's, are noted and no problem.
Prints file:line: resource: field: rule, found value. Ends with 1 if there is a problem.

Example:
  waybill lint manifests/`,
  )
  .action(async (paths: string[]) => {
    const { lint } = await import('./lint.ts')
    const { lines, problems } = await lint(paths, 'waybill')
    process.stdout.write(lines.map((line) => `${line}\n`).join(''))
    if (problems > 0) process.exitCode = 1
  })

// A reader such as head may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  process.stderr.write(error instanceof Failure ? `Error: ${error.message}\n` : `${(error as Error).stack}\n`)
  process.exit(1)
}
