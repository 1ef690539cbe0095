import { broker } from '../../api/kinds/broker.ts'
import { subscription } from '../../api/kinds/subscription.ts'
import { overviewPage, whichNamespacePage } from '../pages/overview.ts'
import { BackendError } from '../port.ts'
import type { Pages } from '../served.ts'
import { viewerOf } from '../visit.ts'

/** What a list is where the user may not see it. */
export const unlessForbidden = async <T>(list: Promise<T>): Promise<T | undefined> => {
  try {
    return await list
  } catch (error) {
    if (error instanceof BackendError && error.code === 403) return undefined
    throw error
  }
}

export const addOverview = ({ get }: Pages): void => {
  get('', async (visit, context) => {
    const { backend, nowMs } = visit
    const viewer = viewerOf(visit)
    const namespace = context.req.query('namespace') || undefined
    const [subscriptions, brokers] = await Promise.all([
      unlessForbidden(backend.list(subscription, namespace)),
      unlessForbidden(backend.list(broker, namespace)),
    ])
    if (subscriptions === undefined && namespace === undefined) return whichNamespacePage(viewer)
    if (subscriptions === undefined) throw new BackendError(403, `You may not list the Subscriptions of ${namespace}.`)
    const part = Math.max(1, Number.parseInt(context.req.query('part') ?? '1', 10) || 1)
    return overviewPage({ viewer, nowMs, namespace, subscriptions, brokers, part, drawing: () => '' })
  })
}
