import type { Argument, Command, Option } from 'commander'

/** One thing that may come next. */
export type Candidate = { readonly value: string; readonly description: string }

/** What may come next on a command line. */
export type Next = {
  readonly candidates: readonly Candidate[]
  /** Or a file. */
  readonly files: boolean
  /** Or the name of a resource of this kind, `subscription` or what was typed for `get`; of `kind`, a kind. */
  readonly names?: { readonly of: string }
  /** The options so far, as the command gets them. */
  readonly options: Readonly<Record<string, string | true>>
}

/** What may come next after these words, the last of which is being typed and may be empty. */
export const nextOf = (program: Command, words: readonly string[]): Next => {
  // Shells take an equals sign for a word of its own.
  const before = words.slice(0, -1).filter((word) => word !== '=')
  const last = words.at(-1) ?? ''
  const current = last === '=' ? '' : last
  const at = walked(program, before)
  const { options } = at
  const [flag = '', value] = current.startsWith('--') ? current.split('=', 2) : []
  if (at.pending) return { ...values(at.pending, current), options }
  if (value !== undefined) {
    const option = optionOf(at.command, flag)
    const { candidates, files } = option ? values(option, value) : nothing
    return { candidates: candidates.map((each) => ({ ...each, value: `${flag}=${each.value}` })), files, options }
  }
  if (current.startsWith('-')) return { candidates: begun(flagsOf(at.command), current), files: false, options }
  const commands = at.command.commands.filter((each) => at.positions.length === 0 && !isHidden(each))
  const argument = at.command.registeredArguments[at.positions.length] ?? lastVariadic(at.command)
  const names = namesOf(argument, at.positions)
  const choices = argument?.argChoices ?? []
  return {
    candidates: begun(
      [
        ...commands.map((each) => ({ value: each.name(), description: each.description() })),
        ...choices.map((value) => ({ value, description: '' })),
      ],
      current,
    ),
    files: argument !== undefined && isFile(argument.name()),
    ...(names === undefined ? {} : { names }),
    options,
  }
}

type Walked = {
  readonly command: Command
  /** The option whose value comes next. */
  readonly pending: Option | undefined
  readonly positions: readonly string[]
  readonly options: Next['options']
}

const walked = (program: Command, words: readonly string[]): Walked => {
  let command = program
  let pending: Option | undefined
  const positions: string[] = []
  const options: Record<string, string | true> = {}
  for (const word of words) {
    if (pending) {
      options[pending.attributeName()] = word
      pending = undefined
    } else if (word.startsWith('-')) {
      const [flag = '', value] = word.split('=', 2)
      const option = optionOf(command, flag)
      if (option && takesValue(option) && value === undefined) pending = option
      else if (option) options[option.attributeName()] = value ?? true
    } else {
      const inner = command.commands.find((each) => each.name() === word || each.aliases().includes(word))
      if (inner && positions.length === 0) command = inner
      else positions.push(word)
    }
  }
  return { command, pending, positions, options }
}

const nothing: Pick<Next, 'candidates' | 'files'> = { candidates: [], files: false }

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find(({ long, short }) => flag === long || flag === short)

const takesValue = ({ required, optional }: Option): boolean => required || optional

const values = ({ argChoices, flags }: Option, current: string): Pick<Next, 'candidates' | 'files'> => ({
  candidates: begun(
    (argChoices ?? []).map((value) => ({ value, description: '' })),
    current,
  ),
  files: isFile(/<([^>.]+)/.exec(flags)?.[1] ?? ''),
})

const isFile = (name: string): boolean => ['file', 'path'].includes(name)

const flagsOf = (command: Command): Candidate[] => [
  ...command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({
      value: long ?? short ?? '',
      description,
    })),
  { value: '--help', description: 'print help' },
]

/** Commander has no way to ask. */
const isHidden = (command: Command): boolean => (command as unknown as { _hidden?: boolean })._hidden === true

const lastVariadic = ({ registeredArguments }: Command): Argument | undefined =>
  registeredArguments.at(-1)?.variadic ? registeredArguments.at(-1) : undefined

const namesOf = (argument: Argument | undefined, positions: readonly string[]): Next['names'] => {
  const name = argument?.name()
  if (name === 'subscription' || name === 'kind') return { of: name }
  return name === 'name' && positions[0] !== undefined ? { of: positions[0] } : undefined
}

const begun = (candidates: readonly Candidate[], current: string): Candidate[] =>
  candidates.filter(({ value }) => value.startsWith(current))
