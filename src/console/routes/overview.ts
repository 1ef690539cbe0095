import { broker } from '../../api/kinds/broker.ts'
import { subscription } from '../../api/kinds/subscription.ts'
import { overviewPage, partOf } from '../pages/overview.ts'
import { whichNamespacePage } from '../pages/which-namespace.ts'
import { type Backend, BackendError, type Hours } from '../port.ts'
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

/** A page is whole without pictures: a namespace whose hour cannot be had has none. */
const hoursOf = async (backend: Backend, namespaces: ReadonlySet<string>): Promise<Map<string, Hours>> => {
  const found = await Promise.all(
    [...namespaces].map(async (namespace) => [namespace, await orNothing(backend.hours(namespace))] as const),
  )
  return new Map(found.flatMap(([namespace, hours]) => (hours ? [[namespace, hours] as const] : [])))
}

/** @throws what is no {@link BackendError} */
export const orNothing = async <T>(asked: Promise<T>): Promise<T | undefined> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof BackendError) return undefined
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
    if (subscriptions === undefined && namespace === undefined) return whichNamespacePage(viewer, 'overview')
    if (subscriptions === undefined) throw new BackendError(403, `You may not list the Subscriptions of ${namespace}.`)
    const part = Math.max(1, Number.parseInt(context.req.query('part') ?? '1', 10) || 1)
    const namespaces = new Set(partOf(subscriptions, part).map(({ metadata }) => metadata.namespace))
    const hours = await hoursOf(backend, namespaces)
    return overviewPage({ viewer, nowMs, namespace, subscriptions, brokers, part, hours })
  })
}
