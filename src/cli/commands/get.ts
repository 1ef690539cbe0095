import { type Command, Option } from 'commander'
import { kinds } from '../../api/kinds/kinds.ts'
import { called } from '../called.ts'
import type { GetOptions } from '../get.ts'
import { withRemote } from '../remote/open.ts'
import { namespaceOf, type Scoped, withCluster } from './dead-letter-options.ts'

const outputs = ['table', 'wide', 'json', 'yaml'] as const satisfies GetOptions['output'][]

type Options = GetOptions & Scoped & { readonly allNamespaces?: boolean }

/** Adds `waybill get`. */
export const addGet = (program: Command): void => {
  const names = kinds.map(({ singular }) => singular).join(', ')
  const command = program
    .command('get')
    .description(`show resources and their state${called.isPlugin ? '' : ', of waybill run or of a cluster'}`)
    .argument('[kind]', `${names}, or their plurals or short names (default: all)`)
    .argument('[name]', 'show only the resource with this name; kind/name works too')
    .option('-n, --namespace <namespace>', 'show only this namespace')
    .option(
      '-A, --all-namespaces',
      `show all namespaces${called.isPlugin ? '' : ' (the default outside of a cluster)'}`,
    )
    .addOption(new Option('-o, --output <format>', 'output format').choices(outputs).default('table'))
  if (!called.isPlugin)
    command.option('--server <url>', 'address of the running waybill (default: http://127.0.0.1:9402)')
  withCluster(command)
    .addHelpText('after', '\nExamples:\n  waybill get\n  waybill get subscription billing -n shop -o json')
    .action((kind: string | undefined, name: string | undefined, options: Options) => {
      const { server, ...others } = options
      return withRemote(server === undefined ? others : { ...others, statusServer: server }, async (remote) => {
        const { get } = await import('../get.ts')
        const namespace = namespaceOf(options, remote)
        const { output } = options
        const text = await get(remote, kind, name, { output, ...(namespace === undefined ? {} : { namespace }) })
        if (text === '') {
          const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`
          process.stderr.write(`No resources found in ${where}\n`)
        }
        process.stdout.write(text)
      })
    })
}
