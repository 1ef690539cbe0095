import { type Random, randomOf } from './random.ts'
import { type Mood, moods } from './subscribers/moods.ts'

/** The Topics of a storm, one with each type of exchange. */
export const topics = { orders: 'Topic', news: 'Fanout', marked: 'Headers' } as const
export type TopicName = keyof typeof topics

/** A Subscription of a storm, at its start. */
export type Planned = {
  readonly name: string
  readonly topic: TopicName
  /** It pushes from a Queue of its own, which is bound to the topic. */
  readonly hasQueue: boolean
  /** Of the topic that routes by them. */
  readonly routingKeys: readonly string[]
  /** On the topic that routes by headers: the one that it wants. */
  readonly mark: string
  readonly contentMode: 'Binary' | 'Structured'
  readonly concurrency: number
  readonly maxAttempts: number
  readonly schedule: readonly string[]
}

/** Of all Subscriptions. */
export const retryAfterMaxMs = 2_000

export const edits = [
  'suspend',
  'resume',
  'schedule',
  'concurrency',
  'move',
  'https',
  'bindings',
  'retention',
  'delete',
  'recreate',
] as const
export type Edit = (typeof edits)[number]

/** What happens at one moment, in ms after the start. */
export type Step = { readonly number: number; readonly atMs: number } & (
  | { readonly is: 'fault'; readonly fault: string; readonly forMs: number; readonly seed: number }
  | { readonly is: 'edit'; readonly subscription: string; readonly edit: Edit }
  | { readonly is: 'mood'; readonly subscription: string; readonly mood: Mood }
)

/** All of a storm, decided before it begins: the same for the same seed. */
export type Plan = {
  readonly seed: number
  readonly durationMs: number
  readonly messagesPerSecond: number
  readonly subscriptions: readonly Planned[]
  readonly steps: readonly Step[]
}

export type PlanOptions = {
  readonly seed: number
  readonly durationMs: number
  readonly messagesPerSecond: number
  /** Names of the faults that can be made here. */
  readonly faults: readonly string[]
}

export const routingKeys = ['order.placed', 'order.cancelled', 'order.paid.late', 'mail.sent', 'größe.ändern'] as const
/** Sets of binding keys. */
export const bindings = [
  ['#'],
  ['order.*'],
  ['order.#'],
  ['order.placed', 'mail.*'],
  ['größe.#', 'order.cancelled'],
] as const
/** What the header of a message to the topic that routes by headers may say. */
export const marks = ['red', 'green'] as const
const schedules = [['100ms'], ['200ms', '500ms'], ['100ms', '1s'], ['500ms', '1s', '2s'], ['300ms']] as const

export const planOf = ({ seed, durationMs, messagesPerSecond, faults }: PlanOptions): Plan => {
  const random = randomOf(seed)
  const subscriptions = Array.from({ length: random.between(3, 6) }, (_, index) => planned(random, index))
  const names = subscriptions.map(({ name }) => name)
  const unnumbered: Omit<Step, 'number'>[] = []
  const every = (fromMs: number, toMs: number, step: (atMs: number) => object): void => {
    for (let atMs = random.between(500, fromMs); atMs < durationMs; atMs += random.between(fromMs, toMs))
      unnumbered.push({ atMs, ...step(atMs) } as Omit<Step, 'number'>)
  }
  if (faults.length > 0)
    every(3_000, 9_000, () => ({
      ...{ is: 'fault', fault: random.pick(faults), forMs: random.between(300, 5_000), seed: random.between(1, 1e9) },
    }))
  every(2_000, 6_000, () => ({ is: 'edit', subscription: random.pick(names), edit: random.pick(edits) }))
  every(1_000, 4_000, () => ({ is: 'mood', subscription: random.pick(names), mood: random.pick(moods) }))
  const steps = unnumbered
    .sort((a, b) => a.atMs - b.atMs)
    .map((step, index) => ({ number: index + 1, ...step }) as Step)
  return { seed, durationMs, messagesPerSecond, subscriptions, steps }
}

const planned = (random: Random, index: number): Planned => ({
  name: `s${index}`,
  topic: random.pick(['orders', 'orders', 'orders', 'orders', 'news', 'marked']),
  hasQueue: random.chance(0.25),
  routingKeys: random.pick(bindings),
  mark: random.pick(marks),
  contentMode: random.chance(0.2) ? 'Structured' : 'Binary',
  concurrency: random.pick([1, 2, 8, 20]),
  maxAttempts: random.between(2, 6),
  schedule: random.pick(schedules),
})

/** The same plan with some of its steps alone. */
export const withSteps = (plan: Plan, numbers: ReadonlySet<number>): Plan => ({
  ...plan,
  steps: plan.steps.filter(({ number }) => numbers.has(number)),
})

export const stepText = (step: Step): string => {
  const when = `${String(step.number).padStart(3)}  ${(step.atMs / 1_000).toFixed(1).padStart(6)} s  `
  if (step.is === 'fault') return `${when}${step.fault}, for ${(step.forMs / 1_000).toFixed(1)} s`
  return step.is === 'edit' ? `${when}${step.edit} ${step.subscription}` : `${when}${step.subscription} is ${step.mood}`
}
