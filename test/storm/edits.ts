import { eventually } from '../support/wait.ts'
import { bindings, type Edit } from './plan.ts'
import type { Random } from './random.ts'
import { type HttpsWay, httpsWays } from './subscribers/https.ts'
import type { Live, World } from './world.ts'

/** So long at most until a Subscription that was made again, or bound otherwise, has its queue and its bindings. */
const bindingMs = 90_000

const tidy: Partial<Record<Edit, (one: Live, random: Random, world: World) => Promise<void> | void>> = {
  suspend: ({ spec }) => {
    spec.suspend = true
  },
  resume: ({ spec }) => {
    spec.suspend = false
  },
  schedule: ({ spec, schedules }, random, { recorder }) => {
    spec.schedule = random.pick([['100ms'], ['300ms', '1s'], ['700ms']])
    schedules.push({ from: recorder.now(), schedule: spec.schedule })
  },
  concurrency: (one, random) => {
    one.spec.concurrency = random.pick([1, 3, 10])
    one.mostConcurrent = Math.max(one.mostConcurrent, one.spec.concurrency)
  },
  move: (one) => moveTo(one, undefined),
  https: async (one, random, { recorder, ground }) => {
    const https = random.pick(httpsWays)
    await moveTo(one, https)
    if (https === 'right') return
    const subscription = `${ground.namespace}/${one.planned.name}`
    one.seen = recorder.disturbed(`https ${https}`, [subscription], { hides: 'requests', isGentle: true })
  },
  bindings: ({ spec, bound }, random, { recorder }) => {
    spec.routingKeys = random.pick(bindings)
    bound.push({ routingKeys: spec.routingKeys, from: recorder.now(), to: Number.POSITIVE_INFINITY })
  },
}

/** Opens a new port, with http or in this way with https. */
export const moveTo = async (one: Live, https: HttpsWay | undefined): Promise<void> => {
  const { spec, subscriber, seen } = one
  if (https === undefined) await subscriber.move()
  else await subscriber.moveToHttps(https)
  Object.assign(spec, { url: subscriber.url, https })
  // What goes to the old one is not seen, for as long as it takes until the url is known everywhere.
  if (seen) setTimeout(seen, 15_000)
  one.seen = undefined
}

/** Makes an edit; one that makes no sense at the moment does nothing. */
export const makeEdit = async (world: World, name: string, edit: Edit, random: Random): Promise<void> => {
  const one = world.live.get(name) as Live
  const { recorder, ground } = world
  if (edit === 'retention') return world.retain(random.pick([1, 5, 10_000, undefined]))
  if (one.isDeleted !== (edit === 'recreate')) return
  const ended = recorder.disturbed(`${edit} ${name}`, [`${ground.namespace}/${name}`], {
    // What is in hand when it is deleted goes back to its queue.
    isGentle: edit !== 'delete',
  })
  // Others than that take effect while it is suspended.
  if (['resume', 'delete', 'recreate'].includes(edit)) endAll(one.suspended, recorder.now())
  if (edit === 'delete') {
    one.isDeleted = true
    one.gaps.push({ from: recorder.now() - 100, to: Number.POSITIVE_INFINITY })
    await ground.delete(name)
  } else {
    await tidy[edit]?.(one, random, world)
    one.isDeleted = false
    await world.write(name)
  }
  if (edit === 'suspend') void openSuspended(world, one)
  if (edit === 'recreate' || edit === 'bindings') void closePeriods(world, one)
  setTimeout(ended, 5_000)
}

/** What is in hand when it says that it is suspended was begun before. */
const slackMs = 3_000

/** A process that was cut off from its API server does not know: this is for one that reads files. */
const openSuspended = async (world: World, one: Live): Promise<void> => {
  if (world.ground.dispatchers > 1 || one.suspended.some(({ to }) => to === Number.POSITIVE_INFINITY)) return
  const period = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  one.suspended.push(period)
  try {
    await eventually(() => world.isSuspended(one.planned.name), { timeoutMs: bindingMs, everyMs: 250 })
    period.from = world.recorder.now() + slackMs
  } catch {
    // It is asked no more.
  }
}

/** What was before ends once the Subscription was seen to be on the broker as it is to be, and a while later to be sure. */
const closePeriods = async (world: World, one: Live): Promise<void> => {
  const { name } = one.planned
  const last = one.bound.at(-1)
  try {
    await eventually(() => world.isProgrammed(name), { timeoutMs: bindingMs, everyMs: 250 })
  } catch {
    return // They stay open until calm.
  }
  // Another edit may have come meanwhile; its own end is waited for by itself.
  if (!one.isDeleted && one.bound.at(-1) === last) endPeriods(one, world.recorder.now() + 2_000)
}

export const endPeriods = ({ gaps, bound }: Live, at: number): void => {
  endAll([...gaps, ...bound.slice(0, -1)], at)
}

export const endAll = (periods: readonly { to: number }[], at: number): void => {
  for (const period of periods) period.to = Math.min(period.to, at)
}
