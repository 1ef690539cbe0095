import { setTimeout as delay } from 'node:timers/promises'
import { check, type Finding } from '../history/check.ts'
import type { History, Published, Terms } from '../history/history.ts'
import { calmDown, collect } from './calm.ts'
import { differences, faultsInLog } from './convergence.ts'
import { makeEdit } from './edits.ts'
import type { Fault, FaultWorld } from './fault.ts'
import { messageAt } from './messages.ts'
import { type Plan, type Step, stepText } from './plan.ts'
import { startPublisher } from './publisher.ts'
import { randomOf, seedFor } from './random.ts'
import { type Live, openWorld, type World } from './world.ts'

export type StormOptions = {
  readonly faults: Readonly<Record<string, Fault>>
  readonly nodes: FaultWorld['nodes']
  /** A line for a person, now and then. */
  say(line: string): void
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
  const { say, nodes, logFile } = options
  const begun = performance.now()
  const keepsBody = (id: string) => !/^m\d+$/.test(id) || messageAt(plan.seed, Number(id.slice(1))).keepsBody
  await using world = await openWorld(plan, { nodes, keepsBody, logFile })
  await until(world, 60_000)
  const publisher = startPublisher(world.vhost.amqpUrl, {
    ...{ seed: plan.seed, perSecond: plan.messagesPerSecond, recorder: world.recorder },
  })
  await weather(world, plan, options)
  say('calm: all faults are over, subscribers are well')
  const published = await publisher.stop()
  const isAtRest = await calmDown(world, say)
  say(isAtRest ? 'at rest; comparing the broker with the resources' : 'not at rest')
  const others = isAtRest ? await differences(world) : ['it did not come to rest']
  say('reading what is left in queues')
  await collect(world)
  say(`${published} messages were published; checking`)
  const history = { entries: world.recorder.entries, terms: [...world.live.values()].map(termsOf), isAtRest }
  return {
    ...{ findings: check(history), others: [...others, ...faultsInLog(logFile)], history },
    tookMs: performance.now() - begun,
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

const termsOf = ({ planned, gaps }: Live): Terms => ({
  subscription: `shop/${planned.name}`,
  matches: (message) => {
    if (!planned.routingKeys.some((pattern) => matchesKey(pattern, message.routingKey))) return 'must not'
    return gaps.some(({ from, to }) => message.at >= from - 2_000 && message.at <= to) ? 'may' : 'must'
  },
  concurrency: 20,
  maxAttempts: planned.maxAttempts,
  // Edits may shorten any schedule to this.
  delayMs: () => 100,
  isOrdered: false,
})

/** As a topic exchange does it. https://www.rabbitmq.com/tutorials/tutorial-five-javascript#topic-exchange */
export const matchesKey = (pattern: string, key: Published['routingKey']): boolean => {
  const words = pattern
    .split('.')
    .map((word) => (word === '#' ? '#' : word === '*' ? '[^.]*' : word.replace(/[^\p{L}\d]/gu, '\\$&')))
  const text = words.reduce((all, word, index) => {
    if (word === '#') return index === 0 ? '(?:[^.]+(?:\\.[^.]+)*)?' : `${all}(?:\\.[^.]+)*`
    return index === 0 ? word : `${all}\\.${word}`
  }, '')
  return new RegExp(`^${text}$`, 'u').test(key)
}
