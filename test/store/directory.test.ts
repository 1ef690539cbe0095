import { chmodSync } from 'node:fs'
import { rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { broker } from '../../src/api/kinds/broker.ts'
import { topic as topicKind } from '../../src/api/kinds/topic.ts'
import { ManifestPathError, openDirectory } from '../../src/store/directory/store.ts'
import type { Change } from '../../src/store/store.ts'
import { eventually } from '../support/wait.ts'
import { folder, memoryLog, secret, topic } from './manifests.ts'

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const close of cleanUp.splice(0)) close()
})

const temporary = () => {
  const made = folder()
  cleanUp.push(made.close)
  return made
}

const open = async (...paths: string[]) => {
  const stop = new AbortController()
  cleanUp.push(() => stop.abort())
  const log = memoryLog()
  const store = await openDirectory(paths, { log }, stop.signal)
  const changes: Change[] = []
  store.onChange((change) => changes.push(change))
  const names = () =>
    store
      .list(topicKind)
      .map(({ metadata }) => metadata.name)
      .sort()
  const problems = () =>
    log.lines
      .filter(({ level }) => level === 'error')
      .map(({ fields }) => String(fields.problem ?? (fields.error as Error)?.stack))
  return { store, log, changes, names, problems, get: (name: string) => store.get(topicKind, 'default', name) }
}

test('folders are searched, except for hidden and other files and a link to a folder above', async () => {
  const { path, write } = temporary()
  await write('b/deep/x.yml', topic('deep'))
  await write(
    'a.json',
    '{"apiVersion":"waybill.dev/v1alpha1","kind":"Topic","metadata":{"name":"json"},"spec":{"brokerRef":{"name":"b"}}}',
  )
  await write('.hidden.yaml', topic('hidden'))
  await write('.git/x.yaml', topic('hidden-too'))
  await write('notes.txt', 'hello')
  await symlink(path, join(path, 'b', 'loop'))
  const { names, log } = await open(path)
  expect(names()).toEqual(['deep', 'json'])
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('an edit, a new file and a removed file take effect within 2 s', async () => {
  const { path, write } = temporary()
  const file = await write('a.yaml', `${topic('one')}---\n${topic('two')}`)
  const { store, names, get, changes } = await open(path)
  const started = performance.now()
  await write('a.yaml', topic('one', 'brokerRef: { name: main }, unrouted: Drop'))
  await write('new/b.yaml', topic('three'))
  await eventually(() => get('one')?.spec.unrouted === 'Drop' && names().join() === 'one,three')
  expect(performance.now() - started).toBeLessThan(2000)
  expect(changes).toContainEqual({ kind: 'Topic', namespace: 'default', name: 'two' })
  await rm(file)
  await eventually(() => names().join() === 'three')
  expect(store.list(broker)).toEqual([])
})

test('a file replaced by renaming, as editors do, is never a deletion', async () => {
  const { path, write } = temporary()
  const file = await write('a.yaml', topic('one'))
  const { get, changes } = await open(file)
  const { uid } = get('one')!.metadata
  for (const unrouted of ['Drop', 'Park', 'Drop']) {
    await rename(file, join(path, 'a.yaml~'))
    const next = await write('a.yaml.tmp', topic('one', `brokerRef: { name: main }, unrouted: ${unrouted}`))
    await rename(next, file)
    await eventually(() => get('one')?.spec.unrouted === unrouted)
  }
  expect(get('one')!.metadata).toMatchObject({ uid, generation: 4 })
  expect(changes).toHaveLength(3)
})

test.each([
  ['is no longer YAML', '{ oh: ['],
  ['is no longer valid', topic('one', 'brokerRef: 5')],
  ['lost its name', topic('""')],
  ['is not UTF-8', Buffer.from([0xff, 0xfe, 0x00]).toString('latin1')],
])('a file that %s keeps what it last defined, and is logged once', async (_what, text) => {
  const { path, write } = temporary()
  await write('a.yaml', `${topic('one')}---\n${topic('two')}`)
  await write('b.yaml', topic('three'))
  const { get, names, problems, store, log } = await open(path)
  const before = get('one')
  await (text.startsWith('ÿ')
    ? import('node:fs/promises').then((fs) => fs.writeFile(join(path, 'a.yaml'), text, 'latin1'))
    : write('a.yaml', text))
  await eventually(() => problems().length > 0)
  await write('b.yaml', topic('three', 'brokerRef: { name: main }, unrouted: Drop'))
  await eventually(() => get('three')?.spec.unrouted === 'Drop')
  expect(get('one')).toBe(before)
  expect(names()).toEqual(['one', 'three', 'two'])
  expect(problems()).toHaveLength(1)
  expect(problems()[0]).toContain('a.yaml')
  expect(store.problems()).toHaveLength(1)
  await write('a.yaml', topic('one'))
  await eventually(() => names().join() === 'one,three')
  expect(log.lines.at(-2)?.message).toBe('All manifests are valid again')
  expect(get('one')).toBe(before)
})

test('a refused update of a resource keeps the last good object', async () => {
  const { path, write } = temporary()
  await write('a.yaml', topic('one'))
  const { get, problems } = await open(path)
  const before = get('one')
  await write('a.yaml', `# moved\n${topic('one', 'brokerRef: { name: other }')}`)
  await eventually(() => problems().length > 0)
  expect(problems()[0]).toMatch(/a\.yaml:6: Topic\/default\/one: spec\.brokerRef: cannot be changed: create another/)
  expect(get('one')).toBe(before)
})

test('the first definition in path order of a duplicate resource is used, and the problem names both places', async () => {
  const { path, write } = temporary()
  await write('b.yaml', topic('one', 'brokerRef: { name: main }, unrouted: Drop'))
  await write('a.yaml', topic('one'))
  const { get, problems, names } = await open(path)
  expect(get('one')?.spec.unrouted).toBe('Park')
  expect(problems()).toHaveLength(1)
  expect(problems()[0]).toMatch(
    /b\.yaml:4: Topic\/default\/one: metadata\.name: is already defined in .*a\.yaml:4, which/,
  )
  await rm(join(path, 'a.yaml'))
  await eventually(() => get('one')?.spec.unrouted === 'Drop')
  expect(names()).toEqual(['one'])
})

test('a resource that moves to another file stays the same resource', async () => {
  const { path, write } = temporary()
  await write('a.yaml', topic('one'))
  const { get, changes } = await open(path)
  await rename(join(path, 'a.yaml'), join(path, 'z.yaml'))
  await write('b.yaml', topic('two'))
  const before = get('one')
  await eventually(() => get('two'))
  expect(get('one')).toBe(before)
  expect(changes).toEqual([{ kind: 'Topic', namespace: 'default', name: 'two' }])
})

test('a path that vanishes as a whole deletes nothing', async () => {
  const { path, write } = temporary()
  await write('mount/a.yaml', topic('one'))
  const { names, problems } = await open(join(path, 'mount'))
  await rename(join(path, 'mount'), join(path, 'elsewhere'))
  await eventually(() => problems().length > 0)
  expect(problems()[0]).toContain('mount: does not exist')
  expect(names()).toEqual(['one'])
})

test('Secrets of a directory are read, changed and removed', async () => {
  const { path, write } = temporary()
  await write('a.yaml', secret('rabbit', 'one'))
  const { store, changes, log } = await open(path)
  const password = async () => (await store.secret('default', 'rabbit'))?.password?.toString()
  expect(await password()).toBe('one')
  await write('a.yaml', secret('rabbit', 'two'))
  await eventually(async () => (await password()) === 'two')
  expect(changes).toEqual([{ kind: 'Secret', namespace: 'default', name: 'rabbit' }])
  await write('a.yaml', topic('instead'))
  await eventually(async () => (await store.secret('default', 'rabbit')) === undefined)
  expect(JSON.stringify(log.lines)).not.toContain('two')
})

test('statuses and finalizers of resources in a directory can be written through the port', async () => {
  const { path, write } = temporary()
  const file = await write('a.yaml', topic('one'))
  await write('b.yaml', topic('two'))
  const { store, get, names, changes } = await open(path)
  await store.setFinalizer(topicKind, get('one')!, true)
  await store.applyStatus(topicKind, get('one')!, 'waybill-operator', { exchange: 'default.one' })
  await store.applyStatus(topicKind, get('one')!, 'waybill-operator', { exchange: 'default.one' })
  expect(changes).toHaveLength(2)
  await rm(file)
  await eventually(() => get('one')?.metadata.deletionTimestamp)
  expect(get('one')?.status).toEqual({ exchange: 'default.one' })
  await store.setFinalizer(topicKind, get('one')!, false)
  expect(names()).toEqual(['two'])
})

test('a listener of the directory that throws does not affect the other listeners', async () => {
  const { path, write } = temporary()
  await write('a.yaml', topic('one'))
  const { store, get, log } = await open(path)
  const heard: Change[] = []
  store.onChange(() => {
    throw new Error('Oh')
  })
  const stop = store.onChange((change) => heard.push(change))
  await store.setFinalizer(topicKind, get('one')!, true)
  stop()
  await store.setFinalizer(topicKind, get('one')!, false)
  expect(heard).toHaveLength(1)
  expect(log.lines.filter(({ message }) => message === 'A change listener failed')).toHaveLength(2)
})

test('the same notice is logged once in five minutes', async () => {
  const { path, write } = temporary()
  await write('a.yaml', topic('one'))
  const { store, get, log } = await open(path)
  const notice = { type: 'Warning', reason: 'Conflicted', message: 'Exchange belongs to another' } as const
  store.record(get('one')!, notice)
  store.record(get('one')!, notice)
  store.record(get('one')!, { ...notice, type: 'Normal', reason: 'Programmed' })
  expect(log.lines.slice(-2)).toMatchObject([
    { level: 'warn', message: notice.message, fields: { resource: 'Topic/default/one', reason: 'Conflicted' } },
    { level: 'info' },
  ])
})

test('good news after a warning is logged each time', async () => {
  const { path, write } = temporary()
  await write('a.yaml', topic('one'))
  const { store, get, log } = await open(path)
  const good = { type: 'Normal', reason: 'Ready', message: 'Declared on the broker' } as const
  const bad = (message: string) => ({ type: 'Warning', reason: 'NotProgrammed', message }) as const
  for (const notice of [good, bad('away'), good, good, bad('refused'), good]) store.record(get('one')!, notice)
  expect(log.lines.slice(-5).map(({ level }) => level)).toEqual(['info', 'warn', 'info', 'warn', 'info'])
})

test('a file with errors does not prevent the start with the others', async () => {
  const { path, write } = temporary()
  await write('a.yaml', '{')
  await write('b.yaml', topic('two'))
  const { names, problems } = await open(path)
  expect(names()).toEqual(['two'])
  expect(problems()).toHaveLength(1)
})

test.each([
  ['a folder without manifests', () => temporary().path, /no \.yaml, \.yml or \.json file found/],
  ['a path to nothing', () => join(temporary().path, 'nothing.yaml'), /nothing\.yaml does not exist/],
])('a start with manifests at %s is refused', async (_what, path, message) => {
  await expect(open(path())).rejects.toThrow(ManifestPathError)
  await expect(open(path())).rejects.toThrow(message)
})

// Root may read every folder, whatever its mode.
if (process.getuid?.() !== 0)
  test('a folder that may no longer be read deletes nothing', async () => {
    const { path, write } = temporary()
    await write('in/a.yaml', topic('one'))
    await write('b.yaml', topic('two'))
    const { names, problems } = await open(path)
    chmodSync(join(path, 'in'), 0)
    await write('b.yaml', topic('three'))
    await eventually(() => problems().length > 0)
    chmodSync(join(path, 'in'), 0o755)
    expect(names()).toContain('one')
  })

test('what files define may exist, valid or not, and so may anything while one of them could never be read', async () => {
  const { path, write } = temporary()
  await write('a.yaml', `${topic('valid')}---\n${topic('invalid', 'brokerRef: 7')}`)
  await write('b.yaml', `${topic('first')}---\nkind: [`)
  const { store, get } = await open(path)
  const exists = (...names: string[]) => names.map((name) => store.mayExist(topicKind, 'default', name))
  expect(get('invalid')).toBeUndefined()
  expect(exists('valid', 'invalid', 'first', 'none')).toEqual([true, true, true, true])
  await write('b.yaml', topic('first'))
  await eventually(() => !store.mayExist(topicKind, 'default', 'none'))
  expect(exists('valid', 'invalid', 'first')).toEqual([true, true, true])
  // What it defined is known.
  await write('b.yaml', 'kind: [')
  await write('a.yaml', topic('valid'))
  await eventually(() => !store.mayExist(topicKind, 'default', 'invalid'))
  expect(exists('valid', 'first', 'none')).toEqual([true, true, false])
})
