import type { Command } from 'commander'

/** Adds `waybill lint`. */
export const addLint = (program: Command): void => {
  program
    .command('lint')
    .description('check manifests without a broker')
    .argument('<path...>', 'manifest files and folders')
    .addHelpText(
      'after',
      `
Checks each manifest alone (fields, types, rules) and all of them together (references, names that two resources want,
names that are too long for RabbitMQ). Secrets that are not among the files, and kinds that are not Waybill's, are
reported as notes, not as problems.
Prints file:line: resource: field: rule, found value. Exits with 1 if there is a problem.

Example:
  waybill lint manifests/`,
    )
    .action(async (paths: string[]) => {
      const { lint } = await import('../lint.ts')
      const { lines, problems } = await lint(paths, 'waybill')
      process.stdout.write(lines.map((line) => `${line}\n`).join(''))
      if (problems > 0) process.exitCode = 1
    })
}
