import { existsSync, globSync, readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { kindNamed } from '../../src/api/kinds/kinds.ts'
import { lint } from '../../src/cli/lint.ts'
import { findingText } from '../../src/store/directory/finding.ts'
import { parse } from '../../src/store/directory/parse.ts'
import { waybill } from '../cli/waybill.ts'
import { folder } from '../store/manifests.ts'
import { blocksOf, pages, textOf } from './pages.ts'
import { type Command, commandsOf } from './shell.ts'

const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync('package.json', 'utf8')).scripts
const values: object = parseYaml(readFileSync('charts/waybill/values.yaml', 'utf8'))

/** Programs whose arguments are not looked at. */
const foreign = new Set(['git', 'cd', 'docker', 'curl', 'read', 'rabbitmqctl'])
/** Kinds of Kubernetes itself, and the category of all kinds of Waybill. */
const otherKinds = /^(waybill|svc|configmap|\$kind)$/
/** Options whose value is the next word. */
const withValue = new Set([
  '-n',
  '-o',
  '-p',
  '-f',
  '--type',
  '--set',
  '--namespace',
  '--resolve',
  '--server',
  '--patch-file',
])

/** What is wrong with a command, or nothing. */
const problemsOf = async (command: Command): Promise<readonly string[]> => {
  const [program = '', ...rest] = command
  if (foreign.has(program)) return []
  switch (program) {
    case 'npm':
      return await npmProblems(rest)
    case 'node':
      return missing(rest.slice(0, 1))
    case 'helm':
      return helmProblems(rest)
    case 'kubectl':
      return rest[0] === 'waybill' ? await waybillProblems(rest.slice(1)) : kubectlProblems(rest)
    default:
      return [`unknown program ${program}`]
  }
}

const missing = (files: readonly string[]): readonly string[] =>
  files.filter((file) => !existsSync(file)).map((file) => `no file ${file}`)

const npmProblems = async (words: readonly string[]): Promise<readonly string[]> => {
  const at = words.indexOf('--')
  const own = at < 0 ? words : words.slice(0, at)
  const [script = ''] = own.filter((word) => word !== 'run' && !word.startsWith('-'))
  if (scripts[script] === undefined) return [`no npm script ${script}`]
  return script === 'waybill' ? await waybillProblems(words.slice(at + 1)) : []
}

const helps = new Map<string, Promise<string>>()
const helpOf = (command: string): Promise<string> => {
  const help =
    helps.get(command) ?? waybill(...command.split(' '), '--help').then(({ code, out }) => (code === 0 ? out : ''))
  helps.set(command, help)
  return help
}

/** Commands that have commands of their own. */
const withCommands = /^(dead-letters|dl|retained) [a-z]/

const waybillProblems = async ([first = '', ...rest]: readonly string[]): Promise<readonly string[]> => {
  const hasOwn = withCommands.test([first, ...rest].join(' '))
  const name = hasOwn ? `${first === 'dl' ? 'dead-letters' : first} ${rest[0]}` : first
  const words = hasOwn ? rest.slice(1) : rest
  const help = await helpOf(name)
  if (!help.startsWith(`Usage: waybill ${name} `)) return [`no command waybill ${name}`]
  const known = new Set(help.match(/(?<=\s)--?[a-z][\w-]*/g))
  const options = words.filter((word) => word.startsWith('-') && !known.has(word.split('=')[0] ?? ''))
  const files = words.filter((word, index) => words[index - 1] === '-f' || (name === 'lint' && !word.startsWith('-')))
  return [...options.map((option) => `waybill ${name} has no option ${option}`), ...missing(files)]
}

const positionals = (words: readonly string[]): readonly string[] =>
  words.filter((word, index) => !word.startsWith('-') && !withValue.has(words[index - 1] ?? ''))

const after = (words: readonly string[], option: string): readonly string[] =>
  words.filter((_, index) => words[index - 1] === option)

const helmProblems = (words: readonly string[]): readonly string[] => {
  const unknown = after(words, '--set')
    .map((setting) => setting.split('=')[0] ?? '')
    .filter((path) => at(values, path) === undefined)
  const charts = words.filter((word) => word.startsWith('charts/'))
  return [...unknown.map((path) => `the chart has no value ${path}`), ...missing(charts)]
}

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], value)

/** Names that other projects give to their kinds too; short names, and those with the group, are Waybill's alone. */
const isShared = (name: string): boolean => {
  const kind = kindNamed(name)
  return kind !== undefined && name !== kind.shortName && !name.endsWith('.waybill.dev')
}

const kubectlProblems = (words: readonly string[]): readonly string[] => {
  const [verb = '', target = ''] = positionals(words)
  const paths = [...after(words, '-f'), ...after(words, '--patch-file'), ...after(words, 'kustomize')]
  const files = missing(paths.filter((file) => file !== '-'))
  if (verb === 'apply' || verb === 'kustomize' || words.includes('--raw')) return files
  const [kinds = '', ...path] = verb === 'explain' ? target.split('.') : [target.split('/')[0] ?? '']
  const named = kinds.split(',')
  const unknown = named.filter((name) => !kindNamed(name) && !otherKinds.test(name))
  const shared = verb === 'explain' || !target.includes('.') ? named.filter((name) => isShared(name)) : []
  const field = path.flatMap((name) => ['properties', name]).join('.')
  const explained = field === '' || at(kindNamed(kinds), field.replace('properties.spec', 'spec')) !== undefined
  return [
    ...files,
    ...unknown.map((name) => `no kind ${name}`),
    ...shared.map((name) => `another project may have the kind ${name}: write ${kindNamed(name)?.shortName}`),
    ...(explained ? [] : [`nothing to explain in ${target}`]),
  ]
}

const blocks = pages.flatMap((page) => blocksOf(textOf(page)).map((block) => ({ page, ...block })))
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ page, text }) =>
    commandsOf(text).map((command) => ({ page, command, shown: command.join(' ').slice(0, 70) })),
  )

test.each(commands)('the command of $page is valid: $shown', async ({ command }) => {
  expect(await problemsOf(command)).toEqual([])
})

test.each([
  ['npm run missing', ['no npm script missing']],
  ['npm run waybill -- lst', ['no command waybill lst']],
  ['npm run waybill -- get --wide', ['waybill get has no option --wide']],
  ['npm run waybill -- dl ls billing --wide', ['waybill dead-letters ls has no option --wide']],
  ['npm run waybill -- dead-letters list', ['no command waybill dead-letters list']],
  ['npm run waybill -- run -f missing.yaml', ['no file missing.yaml']],
  ["helm install waybill charts/waybill --set 'image.repo=x'", ['the chart has no value image.repo']],
  ['kubectl get subscribers -n shop', ['no kind subscribers']],
  ['kubectl explain wbs.spec.delivered', ['nothing to explain in wbs.spec.delivered']],
  ['kubectl explain broker.spec', ['another project may have the kind broker: write wbb']],
  ['kubectl get brokers', ['another project may have the kind brokers: write wbb']],
  ['kubectl wait replay/one', ['another project may have the kind replay: write wbr']],
  ['kubectl get brokers.waybill.dev,wbt', []],
  ['node examples/missing.mjs', ['no file examples/missing.mjs']],
  ['make all', ['unknown program make']],
])('the check of commands finds a wrong one: %s', async (script, problems) => {
  const found = await Promise.all(commandsOf(script).map(problemsOf))
  expect(found.flat()).toEqual(problems)
})

const texts = [...pages, ...globSync('{charts,examples,src}/**/*.{txt,ts,yaml,sh,mjs}')]

test('no text names a kind to kubectl by a name that another project may have too', () => {
  const found = texts.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/kubectl [^\n`]*/g)].flatMap(([line]) =>
      line
        .split(/[\s,]+/)
        .filter((word, index, words) => isShared(word.split('/')[0] ?? '') && verbs.has(verbOf(words.slice(0, index))))
        .map((word) => `${file}: ${word} in ${line}`),
    ),
  )
  expect(found).toEqual([])
})

const verbs = new Set(['get', 'describe', 'delete', 'edit', 'patch', 'annotate', 'label', 'wait'])
const verbOf = (words: readonly string[]): string => words.find((word) => verbs.has(word)) ?? ''

test.each(pages)('every npm script that %s names exists', (page) => {
  const named = [...textOf(page).matchAll(/npm run (?:--silent )?([\w:-]*\w)/g)].map(([, script = '']) => script)
  expect(named.filter((script) => scripts[script] === undefined)).toEqual([])
})

const manifests = Map.groupBy(
  blocks.filter(({ language }) => language === 'yaml'),
  ({ page }) => page,
)

test.each([...manifests])('the manifests of %s are valid', async (page, found) => {
  const text = found.map((block) => block.text).join('---\n')
  expect(parse(page, text).findings.map(findingText)).toEqual([])
  // Where the page has the broker too, all references lead somewhere.
  if (!text.includes('kind: Broker')) return
  const made = folder()
  try {
    await made.write('page.yaml', text)
    expect((await lint([made.path], 'waybill')).lines.at(-1)).toMatch(/: no problems$/)
  } finally {
    made.close()
  }
})
