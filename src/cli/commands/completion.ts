import { Argument, type Command } from 'commander'
import { called } from '../called.ts'
import { forKubectl, scripts } from '../completion/scripts.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** Adds `waybill completion`. */
export const addCompletion = (program: Command): void => {
  if (called.isPlugin) addForKubectl(program)
  else
    program
      .command('completion')
      .description('print the script with which a shell completes commands, options and names')
      .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
      .addHelpText('after', help)
      .action((shell: (typeof shells)[number]) => void process.stdout.write(scripts[shell]))
}

const help = `
Examples:
  source <(waybill completion bash)
  waybill completion fish > ~/.config/fish/completions/waybill.fish`

const addForKubectl = (program: Command): void => {
  program
    .command('completion')
    .description('print the program with which kubectl completes what follows kubectl waybill')
    .addHelpText('after', helpForKubectl)
    .action(() => void process.stdout.write(forKubectl))
}

const helpForKubectl = `
It must be named kubectl_complete-waybill and be in your PATH; kubectl's own completion must be on too.

Example:
  kubectl waybill completion > ~/.local/bin/kubectl_complete-waybill && chmod +x ~/.local/bin/kubectl_complete-waybill`
