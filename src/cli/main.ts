#!/usr/bin/env node
import { CommanderError } from 'commander'
import { called } from './called.ts'
import { Failure } from './failure.ts'
import { programOf } from './program.ts'

// A reader such as head may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const words = process.argv.slice(2)
if (called.isAsked || words[0] === '__complete') {
  const { answer } = await import('./completion/answer.ts')
  process.stdout.write(await answer(programOf(), called.isAsked ? words : words.slice(1)))
  process.exit(0)
}

try {
  await programOf().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  process.stderr.write(error instanceof Failure ? `Error: ${error.message}\n` : `${(error as Error).stack}\n`)
  process.exit(error instanceof Failure ? error.exitCode : 1)
}
