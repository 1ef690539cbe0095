import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** The options of the command line, all of which have a value. Exits after `--help` and for unknown options. */
export const optionsOf = <Name extends string>(help: string, defaults: Readonly<Record<Name, string>>) => {
  const config: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } }
  for (const [name, value] of Object.entries<string>(defaults)) {
    config[name] = { type: 'string', default: value, ...(name.length === 1 ? { short: name } : {}) }
  }
  try {
    const { values } = parseArgs({ options: config })
    if (values.help !== true) return values as Readonly<Record<Name, string>>
  } catch (error) {
    return refuse((error as Error).message)
  }
  console.log(help)
  process.exit(0)
}

/** The value of an option that must be a whole number above 0. Exits if it is not. */
export const countOf = (option: string, text: string): number => {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  return refuse(`${option} must be a whole number above 0, found ${JSON.stringify(text)}`)
}

/** Exits because of an invalid command line. */
export const refuse = (why: string): never => {
  process.stderr.write(`${why}\n(run with --help for usage)\n`)
  process.exit(2)
}
