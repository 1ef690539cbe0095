import { type Command, InvalidArgumentError, Option } from 'commander'
import { called } from '../called.ts'
import { exits, Failure } from '../failure.ts'
import { type FilterOptions, filterIn } from '../letters/filter.ts'
import type { ListOptions, ShowOptions } from '../letters/letters.ts'
import type { ExportOptions, ImportOptions } from '../letters/transfer.ts'
import { withRemote } from '../remote/open.ts'
import type { Remote } from '../remote/remote.ts'
import { addJobs } from './dead-letter-jobs.ts'
import { type AllNamespaces, named, namespaceOf, type Scoped, withFilter, withServer } from './dead-letter-options.ts'

/** Adds `waybill dead-letters`, with its own commands. */
export const addDeadLetters = (program: Command): void => {
  const command = program
    .command('dead-letters')
    .alias('dl')
    .description('look at dead letters, deliver them once more, discard, export and import them')
    .helpCommand(false)
    .addHelpText('after', `\n${help}`)
  for (const add of [addList, addShow, addJobs, addExport, addImport]) add(command)
}

const help = `From what failed to delivered:
  waybill dead-letters ls                                       what failed, where and why, in groups
  waybill dead-letters ls billing -n shop --group GROUP         the letters of one group
  waybill dead-letters show billing ID -n shop --body           one letter: its attempts, headers and body
  waybill dead-letters replay billing -n shop --group GROUP --canary 3
                                                                deliver them: three first, then the others

More:
  waybill dead-letters discard billing -n shop --group GROUP --why 'orders of a test'
  waybill dead-letters restore billing -n shop --all
  waybill dead-letters export billing -n shop -o billing.jsonl
  waybill dead-letters import billing billing.jsonl -n shop

Exits with 0 when it is done, with 1 when it failed, with 2 when it was called wrongly, and with 3 when it is not permitted.`

const addList = (command: Command): void => {
  const own = command
    .command('ls')
    .description('list what was given up: groups with the same cause, or each letter where a filter is given')
    .argument('[subscription]', 'name, or namespace/name (default: all subscriptions)')
  withServer(
    withFilter(own)
      .addOption(new Option('--limit <number>', 'at most so many, the oldest first (default: 500)').argParser(count))
      .addOption(
        new Option('--by <what>', 'what to list (default: group, or none where a filter is given)').choices([
          'group',
          'type',
          'none',
        ]),
      )
      .addOption(
        new Option('-o, --output <format>', 'output format')
          .choices(['table', 'wide', 'json', 'jsonl', 'yaml'])
          .default('table'),
      ),
  )
    .option(
      '-A, --all-namespaces',
      `without a subscription: those of all namespaces${called.isPlugin ? '' : ' (the default outside of a cluster)'}`,
    )
    .action((name: string | undefined, options: ListOptions & Scoped & AllNamespaces) =>
      withRemote(options, async (remote) => {
        if (name === undefined) return await printGroups(remote, options)
        const { list } = await import('../letters/letters.ts')
        const of = named(name, options, remote)
        const { text, note } = await list(remote, of, options, Date.now())
        const which = filterIn(options) === undefined ? '' : ' that match'
        print(text, `No dead letters of ${of.namespace}/${of.name}${which}`)
        if (note !== undefined) process.stderr.write(`${note}\n`)
      }),
    )
}

const printGroups = async (remote: Remote, options: ListOptions & Scoped & AllNamespaces): Promise<void> => {
  const filter = filterIn(options) ?? (options.by === undefined ? undefined : 'by')
  if (filter) throw new Failure(`--${filter} needs a subscription`, { exitCode: exits.usage })
  const { groups } = await import('../letters/groups.ts')
  const namespace = namespaceOf(options, remote)
  const text = await groups(
    remote,
    { output: options.output, ...(namespace === undefined ? {} : { namespace }) },
    Date.now(),
  )
  print(text, `No dead letters in ${namespace === undefined ? 'any namespace' : `namespace ${namespace}`}`)
}

const addShow = (command: Command): void => {
  const own = command
    .command('show')
    .description('show one dead letter: why it is there, its last attempts as a time line, its headers')
    .argument('<subscription>', 'name, or namespace/name')
    .argument('<id>', 'id of the letter, as ls shows it')
  withServer(
    own
      .option('--body', 'show its body too, which takes a right of its own')
      .addOption(
        new Option('-o, --output <format>', 'output format').choices(['text', 'json', 'yaml']).default('text'),
      ),
  ).action((name: string, id: string, options: ShowOptions & Scoped) =>
    withRemote(options, async (remote) => {
      const { show } = await import('../letters/letters.ts')
      process.stdout.write(await show(remote, named(name, options, remote), id, options))
    }),
  )
}

const addExport = (command: Command): void => {
  const own = command
    .command('export')
    .description('write dead letters into a file, with their bodies and all headers')
    .argument('<subscription>', 'name, or namespace/name')
  withServer(
    withFilter(own)
      .addOption(new Option('--limit <number>', 'at most so many, the oldest first').argParser(count))
      .requiredOption('-o, --output <file>', 'file to write, which must not exist'),
  ).action((name: string, options: ExportOptions & Scoped) =>
    withRemote(options, async (remote) => {
      const { exportTo } = await import('../letters/transfer.ts')
      const written = await exportTo(remote, named(name, options, remote), options, Date.now())
      process.stderr.write(`${written} dead letters are in ${options.output}; they are still in their queue\n`)
    }),
  )
}

const addImport = (command: Command): void => {
  const own = command
    .command('import')
    .description('put the dead letters of a file into the dead-letter queue; what is there already is skipped')
    .argument('<subscription>', 'name, or namespace/name')
    .argument('<file>', 'file that export wrote')
  withServer(own.option('--any-subscription', 'import letters of other subscriptions too')).action(
    (name: string, file: string, options: ImportOptions & Scoped) =>
      withRemote(options, async (remote) => {
        const { importFrom } = await import('../letters/transfer.ts')
        const { imported, skipped } = await importFrom(remote, named(name, options, remote), file, options)
        const there = skipped > 0 ? `, ${skipped} were there already` : ''
        process.stderr.write(`${imported} dead letters imported${there}\n`)
      }),
  )
}

const print = (text: string, otherwise: string): void => {
  if (text === '') process.stderr.write(`${otherwise}\n`)
  process.stdout.write(text)
}

const count = (text: string): NonNullable<FilterOptions['limit']> => {
  if (/^[1-9]\d{0,8}$/.test(text)) return text
  throw new InvalidArgumentError('Use a number from 1.')
}
