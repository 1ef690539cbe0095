import { Command } from 'commander'
import { type Called, called, version } from './called.ts'
import { addCompletion } from './commands/completion.ts'
import { addConsole } from './commands/console.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addGet } from './commands/get.ts'
import { addLint } from './commands/lint.ts'
import { addDispatcher, addOperator } from './commands/on-kubernetes.ts'
import { addRetained } from './commands/retained.ts'
import { addRun } from './commands/run.ts'

/** The command as it was called, with all its commands. A plugin of kubectl has those that talk to a cluster. */
export const programOf = ({ name, isPlugin }: Called = called): Command => {
  const program = new Command(name)
    .description('Delivers RabbitMQ messages to HTTP subscribers, as declared in manifests or Kubernetes resources.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
  // Examples are written once, as they are without kubectl.
  if (isPlugin) program.configureOutput({ writeOut: (text) => process.stdout.write(asPlugin(text)) })
  const add = isPlugin
    ? [addGet, addDeadLetters, addRetained, addLint, addCompletion]
    : [addRun, addOperator, addDispatcher, addConsole, addGet, addDeadLetters, addRetained, addLint, addCompletion]
  for (const each of add) each(program)
  pointToHelp(program, name)
  return program
}

/** A mistake is followed by the help of the very command. */
const pointToHelp = (command: Command, name: string): void => {
  command.showHelpAfterError(`(run ${name} --help for usage)`)
  for (const inner of command.commands) pointToHelp(inner, `${name} ${inner.name()}`)
}

const asPlugin = (text: string): string => text.replace(/^( +)waybill (?=[a-z])/gm, '$1kubectl waybill ')
