import { isDeepStrictEqual } from 'node:util'
import type { ConditionType } from '../../src/api/conditions.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { type Subscription, subscription } from '../../src/api/kinds/subscription.ts'
import { isDeleting, type Resource } from '../../src/api/resource.ts'
import { createRecorder, type Recorder } from '../history/recorder.ts'
import { type Pipe, tcpProxy } from '../support/tcp-proxy.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import type { FaultWorld } from './fault.ts'
import type { Ground } from './grounds/ground.ts'
import type { Plan, Planned } from './plan.ts'
import { manifestsOf, policyManifests, sharedManifests } from './resources.ts'
import { stormProxy } from './storm-proxy.ts'
import type { HttpsWay } from './subscribers/https.ts'
import { type StormSubscriber, startSubscriber } from './subscribers/server.ts'

type Period = { from: number; to: number }

/** A Subscription as it is now, and what it was: times are ms of the recorder. */
export type Live = {
  readonly planned: Planned
  readonly subscriber: StormSubscriber
  /** Changed by edits. */
  spec: {
    url: string
    https: HttpsWay | undefined
    suspend: boolean
    schedule: readonly string[]
    concurrency: number
    routingKeys: readonly string[]
  }
  mostConcurrent: number
  isDeleted: boolean
  /** Tells the recorder that requests can be seen again. */
  seen?: (() => void) | undefined
  /** Each schedule that it had, and since when. */
  readonly schedules: { readonly from: number; readonly schedule: readonly string[] }[]
  /** When it was suspended, and had said so before. */
  readonly suspended: Period[]
  /** When it may have had no queue. */
  readonly gaps: Period[]
  /** When it may have been bound by which keys; the last is what it is to be bound by now. */
  readonly bound: (Period & { readonly routingKeys: readonly string[] })[]
}

export type World = {
  readonly faults: FaultWorld
  readonly vhost: Vhost
  readonly recorder: Recorder
  readonly live: ReadonlyMap<string, Live>
  readonly ground: Ground
  /** Makes the resources of a Subscription what they are to be. */
  write(name: string): Promise<void>
  /** How many dead letters each queue may hold. */
  retain(maxLength: number | undefined): Promise<void>
  /** How many methods and requests that change what is declared on the broker went there. */
  changes(): number
  /** Whether all Subscriptions are Ready, as they are to be. */
  isReady(): Promise<boolean>
  /** Whether a Subscription says that it is suspended, as it is to be. */
  isSuspended(name: string): Promise<boolean>
  /** Whether a Subscription is on the broker as it is to be. */
  isProgrammed(name: string): Promise<boolean>
  [Symbol.asyncDispose](): Promise<void>
}

export type WorldOptions = {
  readonly nodes: FaultWorld['nodes']
  openGround(): Promise<Ground>
  keepsBody(id: string): boolean
}

export const openWorld = async (plan: Plan, { nodes, openGround, keepsBody }: WorldOptions): Promise<World> => {
  const cleanUp = new AsyncDisposableStack()
  const recorder = createRecorder()
  const vhost = cleanUp.adopt(await freshVhost('waybill-storm'), ({ drop }) =>
    // A broker that takes its time for it has nothing to do with what was found.
    drop().catch(() => undefined),
  )
  const amqp = cleanUp.adopt(await stormProxy(vhost.endpoint.amqp), ({ close }) => close())
  const behind = new URL(vhost.managementUrl)
  let changes = 0
  const countingChanges: Pipe = (from, to, isSilent, towards) => {
    from.on('data', (bytes: Buffer) => {
      // Each request is written at once.
      if (towards === 'target' && /^(PUT|POST|DELETE) /.test(bytes.toString('latin1', 0, 7))) changes += 1
      if (!isSilent()) to.write(bytes)
    })
  }
  const management = cleanUp.adopt(
    await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) }, 0, countingChanges),
    ({ close }) => close(),
  )
  const through = new URL(vhost.secret.connection_string)
  through.host = `127.0.0.1:${amqp.port}`
  const secret = { connection_string: through.href, management_uri: `http://127.0.0.1:${management.port}` }
  const ground = cleanUp.use(await openGround())
  const retain = (maxLength: number | undefined) => ground.write('policy', policyManifests(maxLength))
  await ground.write('broker', sharedManifests({ ...vhost, secret }))
  await retain(undefined)

  const live = new Map<string, Live>()
  const write = (name: string): Promise<void> => ground.write(name, manifestsOf(live.get(name) as Live))
  for (const planned of plan.subscriptions) {
    const { name, schedule, concurrency, routingKeys } = planned
    const options = { subscription: `${ground.namespace}/${name}`, seed: plan.seed, recorder, keepsBody }
    const subscriber = cleanUp.adopt(await startSubscriber(options), ({ close }) => close())
    const { url } = subscriber
    const spec = { url, https: undefined, suspend: false, schedule, concurrency, routingKeys }
    const bound = [{ routingKeys, from: 0, to: Number.POSITIVE_INFINITY }]
    const schedules = [{ from: 0, schedule }]
    const own = { planned, subscriber, spec, schedules, suspended: [], bound }
    live.set(name, { ...own, mostConcurrent: concurrency, isDeleted: false, gaps: [] })
    await write(name)
  }
  await ground.start()

  return {
    faults: { ...{ vhost, amqp, management, nodes }, ...ground.faults },
    ...{ vhost, recorder, live, ground, write, retain },
    changes: () => changes + amqp.changes,
    isReady: async () => {
      const all = await ground.list(subscription)
      return all.length === live.size && all.every((one) => isCurrent(one, 'Ready') || isUnproven(one))
    },
    isSuspended: async (name) => {
      const own = (await ground.list(subscription)).find(({ metadata }) => metadata.name === name)
      return own?.spec.suspend === true && isCurrent(own, 'Suspended')
    },
    isProgrammed: async (name) => {
      const { routingKeys } = (live.get(name) as Live).spec
      const own = (await ground.list(subscription)).find(({ metadata }) => metadata.name === name)
      if (own === undefined || !isCurrent(own, 'Programmed')) return false
      const { topicRef, queueRef, filter } = own.spec
      if (queueRef === undefined)
        return topicRef?.name !== 'orders' || isDeepStrictEqual(filter.routingKeys, routingKeys)
      const read = (await ground.list(queue)).find(({ metadata }) => metadata.name === queueRef.name)
      const [binding] = read?.spec.bindings ?? []
      if (read === undefined || !isCurrent(read, 'Programmed')) return false
      return binding?.topicRef.name !== 'orders' || isDeepStrictEqual(binding.routingKeys, routingKeys)
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/** Whether all that it delivered failed, and nothing has come since that could succeed. */
const isUnproven = (one: Subscription): boolean => {
  const delivering = one.status?.conditions?.find(({ type }) => type === 'Delivering')
  const isOfNow = delivering?.observedGeneration === one.metadata.generation
  return isCurrent(one, 'Programmed') && isOfNow && delivering.reason === 'AllAttemptsFailing'
}

/** Whether this condition holds, and for what the resource is now. */
const isCurrent = (one: Pick<Resource, 'metadata' | 'status'>, type: ConditionType): boolean =>
  !isDeleting(one) &&
  one.status?.conditions?.find((each) => each.type === type && each.status === 'True')?.observedGeneration ===
    one.metadata.generation
