import { setTimeout as delay } from 'node:timers/promises'
import { check, type Finding } from '../history/check.ts'
import type { History } from '../history/history.ts'
import { calmDown, collect } from './calm.ts'
import { watchTheClock } from './clock.ts'
import { differences, faultsInLog, leftOver } from './convergence.ts'
import { makeEdit } from './edits.ts'
import type { Fault, FaultWorld } from './fault.ts'
import type { Ground } from './grounds/ground.ts'
import { type Plan, type Step, stepText } from './plan.ts'
import { startAmqp10Publisher } from './producers/amqp10.ts'
import { messageAt } from './producers/messages.ts'
import { startPublisher } from './producers/publisher.ts'
import { randomOf, seedFor } from './random.ts'
import { probe } from './rest/probe.ts'
import { termsOf } from './terms.ts'
import { openWorld, type World } from './world.ts'

export type StormOptions = {
  readonly faults: Readonly<Record<string, Fault>>
  readonly nodes: FaultWorld['nodes']
  /** A line for a person, now and then. */
  say(line: string): void
  openGround(): Promise<Ground>
  /** Whether the broker speaks AMQP 1.0. */
  readonly isModern: boolean
  readonly logFile: string
}

/** What a storm found. */
export type Result = {
  readonly findings: readonly Finding[]
  /** What differs from the resources afterwards, and faults in the log. */
  readonly others: readonly string[]
  readonly history: History
  readonly tookMs: number
}

/** Carries a plan out, from an empty virtual host to the verdict. */
export const storm = async (plan: Plan, options: StormOptions): Promise<Result> => {
  const { say, nodes, openGround, logFile } = options
  const begun = performance.now()
  await using world = await openWorld(plan, { nodes, openGround, keepsBody: keepsBodies(plan.seed) })
  await until(world, 60_000)
  const { namespace, dispatchers, ended } = world.ground
  const exchangeOf = (topic: string) => `${namespace}.${topic}`
  const common = { seed: plan.seed, recorder: world.recorder, exchangeOf }
  const perSecond = plan.messagesPerSecond
  const publishers = [
    startPublisher(world.vhost.amqpUrl, { ...common, perSecond }),
    ...(options.isModern ? [startAmqp10Publisher(world.vhost, { ...common, perSecond: perSecond / 10 })] : []),
  ]
  const punctual = watchTheClock(world.recorder)
  await weather(world, plan, options)
  say('calm: all faults are over, subscribers are well')
  let published = 0
  for (const publisher of publishers) published += await publisher.stop()
  const isAtRest = await calmDown(world, say)
  say(isAtRest ? 'at rest; comparing the broker with the resources' : 'not at rest')
  const terms = [...world.live.values()].map((one) =>
    termsOf(one, exchangeOf(one.planned.topic), namespace, dispatchers),
  )
  // First, because only a delivery that succeeds shows after failures that a Subscription is Ready.
  if (isAtRest) await probe(world, terms)
  const others = isAtRest ? await differences(world) : ['it did not come to rest']
  punctual()
  say('reading what is left in queues')
  await collect(world)
  if (isAtRest) others.push(...(await leftOver(world)))
  say(`${published} messages were published; checking`)
  const history = { entries: world.recorder.entries, terms, isAtRest, parks: () => true }
  return {
    ...{ findings: check(history), others: [...others, ...ended, ...faultsInLog(logFile)], history },
    tookMs: performance.now() - begun,
  }
}

/** Whether a body stays what it was; asked for each request. */
const keepsBodies = (seed: number): ((id: string) => boolean) => {
  const known = new Map<string, boolean>()
  return (id) => {
    if (!/^m\d+$/.test(id)) return true
    const keeps = known.get(id) ?? messageAt(seed, Number(id.slice(1))).keepsBody
    known.set(id, keeps)
    return keeps
  }
}

const until = async (world: World, timeoutMs: number): Promise<void> => {
  for (let waited = 0; waited < timeoutMs; waited += 200) {
    if (await world.isReady().catch(() => false)) return
    await delay(200)
  }
  throw new Error('The resources did not become Ready before the storm')
}

/** The steps of the plan at their times; resolves when the last fault is over. */
const weather = async (world: World, plan: Plan, { faults, say }: StormOptions): Promise<void> => {
  const begun = performance.now()
  const under: Promise<void>[] = []
  const run = async (step: Step): Promise<void> => {
    say(stepText(step))
    if (step.is === 'mood') {
      const one = world.live.get(step.subscription)
      if (one) one.subscriber.mood = step.mood
    } else if (step.is === 'edit') {
      await makeEdit(world, step.subscription, step.edit, randomOf(seedFor(plan.seed, `edit ${step.number}`)))
    } else {
      const over = world.recorder.disturbed(step.fault)
      const fault = faults[step.fault] as Fault
      const end = await fault(world.faults, randomOf(step.seed))
      await delay(step.forMs)
      await end()
      // What was in hand may come again for a while after it.
      setTimeout(over, 15_000)
    }
  }
  for (const step of plan.steps) {
    await delay(Math.max(0, step.atMs - (performance.now() - begun)))
    under.push(run(step).catch((error: unknown) => say(`step ${step.number} could not be made: ${error}`)))
  }
  await delay(Math.max(0, plan.durationMs - (performance.now() - begun)))
  await Promise.all(under)
}
