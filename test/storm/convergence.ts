import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { kinds } from '../../src/api/kinds/kinds.ts'
import type { Kind, Resource } from '../../src/api/resource.ts'
import { gather } from '../../src/store/gather.ts'
import { desired } from '../../src/topology/desired.ts'
import { dialectOf } from '../../src/topology/dialect.ts'
import { resolveReferences } from '../../src/topology/references.ts'
import type { World } from './world.ts'

type Named = {
  readonly name: string
  readonly source?: string
  readonly destination?: string
  readonly routing_key?: string
}

/** What differs between the broker and the resources, and what is still written although nothing changes. */
export const differences = async (world: World): Promise<string[]> => {
  const { vhost } = world
  const lists = new Map<string, readonly Resource[]>()
  for (const kind of kinds) lists.set(kind.kind, await world.ground.list<Kind>(kind))
  const list = ((kind: Kind) => lists.get(kind.kind) ?? []) as Parameters<typeof gather>[0]['list']
  const { rabbitmq_version: version } = (await vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
  const [attached] = resolveReferences(gather({ list })).attached.values()
  if (attached === undefined) return ['there is no Broker']
  const wanted = desired(attached, 'waybill', dialectOf(version))

  const read = async (what: string): Promise<Named[]> =>
    (await vhost.manage('GET', `/${what}/${vhost.name}`)) as Named[]
  const found: string[] = []
  const compare = (what: string, want: readonly string[], has: readonly string[]): void => {
    for (const one of want) if (!has.includes(one)) found.push(`${what} ${one} is missing`)
    for (const one of has) if (!want.includes(one)) found.push(`${what} ${one} should not be there`)
  }
  const isOurs = (name: string) => /^waybill\./.test(name) || name.startsWith(`${world.ground.namespace}.`)
  for (const what of ['queues', 'exchanges'] as const)
    compare(
      what,
      wanted[what].map(({ want }) => want.name),
      (await read(what)).map(({ name }) => name).filter(isOurs),
    )
  const bindingText = (source: string, destination: string, key: string) => `${source} → ${destination} (${key})`
  compare(
    'bindings',
    wanted.bindings.map(({ want }) => bindingText(want.source, want.destination, want.routingKey)),
    (await read('bindings'))
      .filter(({ source }) => source !== '')
      .map(({ source = '', destination = '', routing_key: key = '' }) => bindingText(source, destination, key)),
  )
  compare(
    'policies',
    wanted.policies.map(({ want }) => want.name),
    (await read('policies')).map(({ name }) => name),
  )
  return [...found, ...(await stillWriting(world))]
}

/** Statuses change when they are written, and only then. */
const stillWriting = async (world: World): Promise<string[]> => {
  const versions = async (): Promise<string[]> => {
    const all = await Promise.all(kinds.map((kind) => world.ground.list<Kind>(kind)))
    return all.flat().map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`)
  }
  let written: string[] = []
  // Counts of deliveries are written up to 10 s late.
  for (let round = 0; round < 4; round++) {
    const before = await versions()
    await delay(6_000)
    written = (await versions()).filter((one) => !before.includes(one))
    if (written.length === 0) return []
  }
  return written.map((one) => `${one} was written at rest`)
}

/** Lines of a log file that tell of a fault of Waybill itself. */
export const faultsInLog = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /Uncaught error|Could not process a message|TypeError|RangeError/.test(line))
    .slice(0, 5)
