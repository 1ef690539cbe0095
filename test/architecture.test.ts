import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { longFunctions } from './support/functions.ts'
import { circlesIn, type Import, importGraph, importsOf } from './support/imports.ts'
import { pureRooms, type Room, roomOf, rooms } from './support/rooms.ts'
import { roomsPage } from './support/rooms-page.ts'

const adapters = ['store/directory', 'store/kubernetes']
const impure =
  /Date\.now|new Date\(\)|Math\.random|random(UUID|Bytes|Int)|performance\.|set(Timeout|Interval|Immediate)|fetch\(|process\./g
const untyped = /(:|\bas|<)\s*any\b|@ts-(ignore|expect-error|nocheck)/g
const mostFiles = 20
const mostLines = 60

/** Functions that hold one state, most of them: the functions inside share it, and none of those is long. */
const longByChoice: Readonly<Record<string, string>> = {
  'src/dispatcher/replicas/replicas.ts createReplicas': 'one table of replicas, and the questions that are asked of it',
  'src/dispatcher/status/observations.ts createObservations':
    'one table of entries with one version, and what changes it',
  'src/dispatcher/status/reporter.ts createReporter': 'what is pending, budgeted and written of an entry is one state',
  'src/rabbit/amqp/connection.ts keepConnected': 'one connection over its lives; each state leads to the next',
  'src/rabbit/amqp/consumer.ts startConsumer': 'one consumer over its lives; each state leads to the next',
  'src/rabbit/amqp/links.ts openLinks': 'one table of connections and one of seats, which follow the quarantine',
  'src/store/directory/objects.ts createObjects': 'one map of objects, and the operations of an API server on it',
  'src/telemetry/metrics.ts createMetrics': 'all metrics, and what drops their series',
  'src/telemetry/process-metrics.ts processMetrics': 'a list of metrics',
}

const mayImport = (file: string, { imports, types = [], packages = [] }: Room, { name, typeOnly }: Import): boolean => {
  const allowed = pureRooms[roomOf(file)]
  if (name.startsWith('node:')) return allowed === undefined || allowed.includes(name)
  if (!name.startsWith('.')) {
    const found = name.split('/', name.startsWith('@') ? 2 : 1).join('/')
    return packages.includes(found) || (typeOnly && types.includes(found))
  }
  const target = roomOf(join(dirname(file), name))
  // The main.ts of a process is where its parts meet: it alone knows which store it runs on.
  const wired = adapters.includes(target) && file.endsWith('/main.ts') && imports.includes('store')
  return target === roomOf(file) || imports.includes(target) || wired || (typeOnly && types.includes(target))
}

test.each(globSync('src/**/*.ts').sort())(
  'the file %s imports only what its folder may, is pure and typed as required, and is not too long',
  (file) => {
    const source = readFileSync(file, 'utf8')
    const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, '')
    const room = rooms[roomOf(file)] ?? { imports: [] }
    const misplaced = importsOf(source).filter((each) => !mayImport(file, room, each))
    expect({
      misplaced: misplaced.map(({ statement }) => statement),
      impure: pureRooms[roomOf(file)] === undefined ? [] : (code.match(impure) ?? []),
      untyped: code.match(untyped) ?? [],
      linesOver300: Math.max(0, source.split('\n').length - 1 - 300),
    }).toEqual({ misplaced: [], impure: [], untyped: [], linesOver300: 0 })
  },
)

test.each(['src', 'bench', 'e2e'])('no files of %s import each other in a circle', (folder) => {
  expect(circlesIn(importGraph(`${folder}/**/*.ts`))).toEqual([])
})

test('the check of imports finds a circle', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['a']],
    ['d', []],
  ])
  expect(circlesIn(graph)).toEqual([['a', 'b', 'c', 'a']])
})

test(`no folder of src has more than ${mostFiles} files`, () => {
  const byFolder = Map.groupBy(globSync('src/**/*.ts'), dirname)
  const large = [...byFolder].filter(([, files]) => files.length > mostFiles)
  expect(large.map(([folder, files]) => `${folder}: ${files.length}`)).toEqual([])
})

test('docs/architecture.md shows the table of rooms (npm run generate)', () => {
  const { found, wanted } = roomsPage()
  expect(found).toBe(wanted)
})

test(`functions have at most ${mostLines} lines, but for those listed with a reason`, () => {
  const long = longFunctions('{src,bench,e2e,examples}/**/*.ts', mostLines)
  expect(long.map(({ file, name }) => `${file} ${name}`)).toEqual(Object.keys(longByChoice).sort())
})
