import { type Command, InvalidArgumentError, Option } from 'commander'
import { exits, Failure } from '../failure.ts'
import type { FilterOptions, ListOptions, ShowOptions } from '../letters/letters.ts'
import type { ExportOptions, ImportOptions } from '../letters/transfer.ts'
import { addJobs } from './dead-letter-jobs.ts'
import { many, named, type Scoped, withServer } from './dead-letter-options.ts'

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

const help = `Exits with 0 when it is done, with 1 when it failed, with 2 when it was called wrongly, and with 3 when it is not permitted.

Examples:
  waybill dead-letters ls
  waybill dead-letters ls billing -n shop --status 5xx --since 2h
  waybill dead-letters show billing ID -n shop --body
  waybill dead-letters replay billing -n shop --status 5xx --canary 3
  waybill dead-letters discard billing -n shop --group k7f3q2mzab --why 'orders of a test'
  waybill dead-letters export billing -n shop -o billing.jsonl
  waybill dead-letters import billing billing.jsonl -n shop`

const addList = (command: Command): void => {
  const own = command
    .command('ls')
    .description('list the dead letters of a subscription, or how many each subscription has')
    .argument('[subscription]', 'name, or namespace/name')
  withFilter(withServer(own))
    .addOption(
      new Option('-o, --output <format>', 'output format').choices(['table', 'json', 'jsonl']).default('table'),
    )
    .option('--status-server <url>', 'without a subscription: where the resources are served', 'http://127.0.0.1:9402')
    .action(async (name: string | undefined, options: ListOptions & Scoped & { readonly statusServer: string }) => {
      const nowMs = Date.now()
      if (name === undefined) {
        const asked = ['group', 'reason', 'status', 'type', 'since', 'until', 'limit'] as const
        const filter = asked.find((each) => options[each] !== undefined)
        if (filter) throw new Failure(`--${filter} needs a subscription`, { exitCode: exits.usage })
        const { groups } = await import('../letters/groups.ts')
        print(await groups(options, nowMs), 'No dead letters found')
        return
      }
      const { list } = await import('../letters/letters.ts')
      const { text, note } = await list(named(name, options), options, nowMs)
      print(text, 'No dead letters found')
      if (note !== undefined) process.stderr.write(`${note}\n`)
    })
}

const addShow = (command: Command): void => {
  const own = command
    .command('show')
    .description('show one dead letter: why it is there, its last attempts, its headers')
    .argument('<subscription>', 'name, or namespace/name')
    .argument('<id>', 'id of the letter, as ls shows it')
  withServer(own)
    .option('--body', 'show its body too, which takes a right of its own')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text'))
    .action(async (name: string, id: string, options: ShowOptions & Scoped) => {
      const { show } = await import('../letters/letters.ts')
      process.stdout.write(await show(named(name, options), id, options))
    })
}

const addExport = (command: Command): void => {
  const own = command
    .command('export')
    .description('write dead letters into a file, with their bodies and all headers')
    .argument('<subscription>', 'name, or namespace/name')
  withFilter(withServer(own))
    .requiredOption('-o, --output <file>', 'file to write, which must not exist')
    .action(async (name: string, options: ExportOptions & Scoped) => {
      const { exportTo } = await import('../letters/transfer.ts')
      const written = await exportTo(named(name, options), options, Date.now())
      process.stderr.write(`${written} dead letters are in ${options.output}; they are still in their queue\n`)
    })
}

const addImport = (command: Command): void => {
  const own = command
    .command('import')
    .description('put the dead letters of a file into the dead-letter queue; what is there already is skipped')
    .argument('<subscription>', 'name, or namespace/name')
    .argument('<file>', 'file that export wrote')
  withServer(own)
    .option('--any-subscription', 'import letters of other subscriptions too')
    .action(async (name: string, file: string, options: ImportOptions & Scoped) => {
      const { importFrom } = await import('../letters/transfer.ts')
      const { imported, skipped } = await importFrom(named(name, options), file, options)
      const there = skipped > 0 ? `, ${skipped} were there already` : ''
      process.stderr.write(`${imported} dead letters imported${there}\n`)
    })
}

const print = (text: string, otherwise: string): void => {
  if (text === '') process.stderr.write(`${otherwise}\n`)
  process.stdout.write(text)
}

const withFilter = (command: Command): Command =>
  command
    .addOption(many('--group <group>', 'only those of these groups'))
    .addOption(many('--reason <reason>', 'only those given up for these reasons, such as Exhausted'))
    .addOption(many('--status <status>', 'only those last answered with these status codes, such as 503 or 5xx'))
    .addOption(many('--type <type>', 'only events of these types'))
    .option('--since <time>', 'only those dead-lettered since then: a time, or how long ago, such as 2h')
    .option('--until <time>', 'only those dead-lettered before then')
    .addOption(new Option('--limit <number>', 'at most so many, the oldest first').argParser(count))

const count = (text: string): NonNullable<FilterOptions['limit']> => {
  if (/^[1-9]\d{0,8}$/.test(text)) return text
  throw new InvalidArgumentError('Use a number from 1.')
}
