#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { isDuration } from '../api/fields.ts'
import { logLevels } from '../telemetry/log.ts'
import { Failure } from './failure.ts'
import { type GetOptions, get, outputs } from './get.ts'
import { lint } from './lint.ts'
import { type Entry, entryOf } from './resolve.ts'
import type { RunOptions } from './run.ts'

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
  .addOption(
    new Option('--instance <name>', 'marks what this installation declares on the broker')
      .default('waybill')
      .argParser(instanceName),
  )
  .addOption(
    new Option('--drain-timeout <duration>', 'how long deliveries in flight may take to end after SIGTERM')
      .default('30s')
      .argParser(durationText),
  )
  .addOption(
    new Option(
      '--resolve <name=address...>',
      'an address for a name of a broker or subscriber; *. in front means all that end so',
    ).argParser(resolveEntry),
  )
  .addOption(new Option('--log-level <level>', 'default: LOG_LEVEL, else info').choices(logLevels))
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
