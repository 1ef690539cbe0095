import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { kinds } from '../../src/api/kinds/kinds.ts'
import type { Kind, Resource } from '../../src/api/resource.ts'
import { gather } from '../../src/store/gather.ts'
import { desired } from '../../src/topology/desired.ts'
import { dialectOf } from '../../src/topology/dialect.ts'
import { resolveReferences } from '../../src/topology/references.ts'
import { eventually } from '../support/wait.ts'
import { queuesOf } from './calm.ts'
import { compare, readState, wantedState } from './rest/broker-state.ts'
import { type Declared, unmet } from './rest/demands.ts'
import { untruths } from './rest/statuses.ts'
import type { World } from './world.ts'

/** What differs between the broker and the resources, what statuses say that is not so, and what is still written. */
export const differences = async (world: World): Promise<string[]> => {
  // Counts are read again some seconds after they changed.
  const found = await settled(async () => [...(await misdeclared(world)), ...(await misreported(world))])
  return [...found, ...(await stillWriting(world))]
}

/** Once all Subscriptions are deleted, and their queues are empty, nothing of theirs is left. */
export const leftOver = async (world: World): Promise<string[]> => {
  for (const name of world.live.keys()) await world.ground.delete(name)
  const found = await settled(() => misdeclared(world))
  return found.map((one) => `after all were deleted: ${one}`)
}

/** What is found in the end, after so long at most. */
const settled = async (find: () => Promise<string[]>): Promise<string[]> => {
  let found: string[] = []
  const isGood = async () => {
    found = await find()
    return found.length === 0
  }
  await eventually(isGood, { timeoutMs: 60_000, everyMs: 1_000 }).catch((error: Error) => {
    if (found.length === 0) found = [`it could not be compared: ${error.cause}`]
  })
  return found
}

const everything = async ({ ground }: World): Promise<Resource[]> =>
  (await Promise.all(kinds.map((kind) => ground.list<Kind>(kind)))).flat()

const misdeclared = async (world: World): Promise<string[]> => {
  const all = Map.groupBy(await everything(world), ({ kind }) => kind)
  const list = ((kind: Kind) => all.get(kind.kind) ?? []) as Parameters<typeof gather>[0]['list']
  const { rabbitmq_version: version } = (await world.vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
  const [attached] = resolveReferences(gather({ list })).attached.values()
  if (attached === undefined) return ['there is no Broker']
  const read = async (what: string) => (await world.vhost.manage('GET', `/${what}/${world.vhost.name}`)) as Declared[]
  const exchanges = (await read('exchanges')).filter(({ name }) => name !== '' && !name.startsWith('amq.'))
  return [
    ...compare(wantedState(desired(attached, 'waybill', dialectOf(version))), await readState(world.vhost)),
    ...unmet(await read('queues'), exchanges),
  ]
}

const misreported = async (world: World): Promise<string[]> => {
  const counts = new Map((await queuesOf(world)).map(({ name, messages = 0 }) => [name, messages]))
  return untruths(await everything(world), (queue) => counts.get(queue) ?? 0)
}

/** Statuses change when they are written, and only then. */
const stillWriting = async (world: World): Promise<string[]> => {
  const versions = async (): Promise<string[]> =>
    (await everything(world)).map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`)
  let written: string[] = []
  let quiet = 0
  // Counts of deliveries are written up to 10 s late; what is written every 10 s is found only by a longer time.
  for (let round = 0; round < 6; round++) {
    const before = await versions()
    const changes = world.changes()
    await delay(6_000)
    written = (await versions()).filter((one) => !before.includes(one))
    if (world.changes() > changes) written.push(`the broker, ${world.changes() - changes} times,`)
    quiet = written.length === 0 ? quiet + 1 : 0
    if (quiet === 2) return []
  }
  return written.map((one) => `${one} was written at rest`)
}

/** Lines of a log file that tell of a fault of Waybill itself. */
export const faultsInLog = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) =>
      /Uncaught error|Could not process a message|(Type|Range|Reference|Assertion)Error|MaxListenersExceeded|heap out of memory/.test(
        line,
      ),
    )
    .slice(0, 5)
