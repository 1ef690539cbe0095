#!/usr/bin/env node
import { CommanderError } from 'commander'
import { Failure } from './failure.ts'
import { programOf } from './program.ts'

// A reader such as head may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await programOf().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  process.stderr.write(error instanceof Failure ? `Error: ${error.message}\n` : `${(error as Error).stack}\n`)
  process.exit(error instanceof Failure ? error.exitCode : 1)
}
