import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a folder of src may import, and which packages are at home in it. Adapters of the store are folders of their own. */
type Rules = {
  readonly imports: readonly string[]
  readonly types?: readonly string[]
  readonly packages: readonly string[]
}
const inside = ['api', 'topology', 'delivery', 'store', 'rabbit', 'telemetry']
const adapters = ['store/directory', 'store/kubernetes']
const table: Record<string, Rules> = {
  api: { imports: [], packages: ['ajv', '@marcbachmann/cel-js'] },
  topology: { imports: ['api'], packages: [] },
  delivery: { imports: ['api'], packages: [] },
  store: { imports: ['api'], packages: [] },
  'store/directory': { imports: ['api', 'store'], packages: ['yaml', 'chokidar'] },
  'store/kubernetes': { imports: ['api', 'store'], packages: ['@kubernetes/client-node', 'undici', 'yaml'] },
  rabbit: { imports: [], types: ['topology'], packages: ['amqplib', 'undici'] },
  telemetry: { imports: [], packages: ['prom-client', 'pino', 'pino-pretty', 'hono', '@hono/node-server'] },
  operator: { imports: inside, packages: [] },
  dispatcher: { imports: inside, packages: ['undici'] },
  cli: {
    imports: [...inside, ...adapters, 'operator', 'dispatcher'],
    packages: ['commander', 'jsonpath-plus', 'yaml'],
  },
}
/** Folders without I/O, clock and randomness, and the modules of Node that have none either. */
const pure: Record<string, readonly string[]> = { api: [], topology: [], delivery: ['node:crypto', 'node:buffer'] }
const impure =
  /Date\.now|new Date\(\)|Math\.random|random(UUID|Bytes|Int)|performance\.|set(Timeout|Interval|Immediate)|fetch\(|process\./g
const untyped = /(:|\bas|<)\s*any\b|@ts-(ignore|expect-error|nocheck)/g
const imported = /(?:^(?:import|export)\s(type\s)?(?:[^'=]*?\sfrom\s)?|\bimport\(\s*)'([^']+)'/gm

const folderOf = (path: string): string => {
  const [, first = '', second = ''] = path.split('/')
  return table[`${first}/${second}`] ? `${first}/${second}` : first
}

const mayImport = (
  file: string,
  { imports, types = [], packages }: Rules,
  name: string,
  typeOnly: boolean,
): boolean => {
  const allowed = pure[folderOf(file)]
  if (name.startsWith('node:')) return allowed === undefined || allowed.includes(name)
  if (!name.startsWith('.')) return packages.includes(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
  const target = folderOf(join(dirname(file), name))
  // The main.ts of a process is where its parts meet: it alone knows which store it runs on.
  const wired = adapters.includes(target) && file.endsWith('/main.ts') && imports.includes('store')
  return target === folderOf(file) || imports.includes(target) || wired || (typeOnly && types.includes(target))
}

test.each(globSync('src/**/*.ts').sort())('%s keeps to its place', (file) => {
  const source = readFileSync(file, 'utf8')
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, '')
  const rules = table[folderOf(file)] ?? { imports: [], packages: [] }
  const misplaced = [...source.matchAll(imported)].filter(
    ([, type, name = '']) => !mayImport(file, rules, name, !!type),
  )
  expect({
    misplaced: misplaced.map(([statement]) => statement),
    impure: pure[folderOf(file)] === undefined ? [] : (code.match(impure) ?? []),
    untyped: code.match(untyped) ?? [],
    linesOver300: Math.max(0, source.split('\n').length - 1 - 300),
  }).toEqual({ misplaced: [], impure: [], untyped: [], linesOver300: 0 })
})
