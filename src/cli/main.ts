#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addConsole } from './commands/console.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addGet } from './commands/get.ts'
import { addLint } from './commands/lint.ts'
import { addDispatcher, addOperator } from './commands/on-kubernetes.ts'
import { addRun } from './commands/run.ts'
import { Failure } from './failure.ts'

const version = (): string => JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version

const program = new Command('waybill')
  .description('Delivers RabbitMQ messages to HTTP subscribers, as declared in manifests or Kubernetes resources.')
  .version(version(), '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print help')
  .helpCommand(false)
  .showHelpAfterError('(run waybill --help for usage)')
  .configureHelp({ showGlobalOptions: false })
  .exitOverride()

for (const add of [addRun, addOperator, addDispatcher, addConsole, addGet, addDeadLetters, addLint]) add(program)

// A reader such as head may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  process.stderr.write(error instanceof Failure ? `Error: ${error.message}\n` : `${(error as Error).stack}\n`)
  process.exit(error instanceof Failure ? error.exitCode : 1)
}
