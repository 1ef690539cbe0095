import { subscription } from '../../src/api/kinds/subscription.ts'
import { eventually } from '../support/wait.ts'
import type { Edit } from './plan.ts'
import type { Random } from './random.ts'
import type { Live, World } from './world.ts'

/** So long at most until a Subscription that was made again has its queue. */
const bindingMs = 90_000

/** Makes an edit; one that makes no sense at the moment does nothing. */
export const makeEdit = async (world: World, name: string, edit: Edit, random: Random): Promise<void> => {
  const one = world.live.get(name) as Live
  const { recorder } = world
  if (edit === 'recreate' || edit === 'delete') {
    if ((edit === 'delete') === one.isDeleted) return
    if (edit === 'delete') {
      one.gaps.push({ from: recorder.now() - 100, to: Number.POSITIVE_INFINITY })
      world.faults.folder.delete(name)
    } else {
      world.write(name)
      closeGap(world, one)
    }
    one.isDeleted = edit === 'delete'
  } else {
    if (one.isDeleted) return
    if (edit === 'suspend' || edit === 'resume') one.spec.suspend = edit === 'suspend'
    if (edit === 'schedule') one.spec.schedule = random.pick([['100ms'], ['300ms', '1s'], ['700ms']])
    if (edit === 'concurrency') one.spec.concurrency = random.pick([1, 3, 10])
    if (edit === 'move') {
      await one.subscriber.move()
      one.spec.url = one.subscriber.url
    }
    world.write(name)
  }
  const ended = recorder.disturbed(`${edit} ${name}`, [`shop/${name}`])
  setTimeout(ended, 5_000)
}

/** The gap ends once the new Subscription was seen to have its queue, and a while later to be sure. */
const closeGap = (world: World, one: Live): void => {
  const { name } = one.planned
  const gap = one.gaps.at(-1)
  const isProgrammed = async () => {
    const found = await world.waybill().get(subscription, `shop/${name}`)
    if (found?.metadata.deletionTimestamp !== undefined) return false
    return found?.status?.conditions?.some(({ type, status }) => type === 'Programmed' && status === 'True')
  }
  const close = () => {
    if (gap) gap.to = world.recorder.now() + 2_000
  }
  void eventually(isProgrammed, { timeoutMs: bindingMs, everyMs: 250 }).then(close, close)
}
