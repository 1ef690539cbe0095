import { type Command, Option } from 'commander'
import { kinds } from '../../api/kinds/kinds.ts'
import type { GetOptions } from '../get.ts'

const outputs = ['table', 'wide', 'json', 'yaml'] as const satisfies GetOptions['output'][]
const defaultServer = 'http://127.0.0.1:9402'

/** Adds `waybill get`. */
export const addGet = (program: Command): void => {
  const names = kinds.map(({ singular }) => singular).join(', ')
  program
    .command('get')
    .description('show resources and their state, from a running `waybill run`')
    .argument('[kind]', `${names}, or their plurals or short names (default: all)`)
    .argument('[name]', 'show only the resource with this name; kind/name works too')
    .option('-n, --namespace <namespace>', 'show only this namespace (default: all)')
    .addOption(new Option('-o, --output <format>', 'output format').choices(outputs).default('table'))
    .option('--server <url>', 'address of the running waybill', defaultServer)
    .addHelpText('after', '\nExamples:\n  waybill get\n  waybill get subscription billing -n shop -o json')
    .action(async (kind: string | undefined, name: string | undefined, options: GetOptions) => {
      const { get } = await import('../get.ts')
      const text = await get(kind, name, options)
      if (text === '') process.stderr.write('No resources found\n')
      process.stdout.write(text)
    })
}
