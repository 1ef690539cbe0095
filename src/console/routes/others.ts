import { broker } from '../../api/kinds/broker.ts'
import { topic } from '../../api/kinds/topic.ts'
import { permissionsPage, rights } from '../pages/permissions.ts'
import { unroutedPage } from '../pages/unrouted.ts'
import { whichNamespacePage } from '../pages/which-namespace.ts'
import type { Pages } from '../served.ts'
import { viewerOf } from '../visit.ts'
import { unlessForbidden } from './overview.ts'

export const addOthers = ({ get }: Pages): void => {
  get('/unrouted', async (visit, context) => {
    const namespace = context.req.query('namespace') || undefined
    const [topics, brokers] = await Promise.all([
      unlessForbidden(visit.backend.list(topic, namespace)),
      unlessForbidden(visit.backend.list(broker, namespace)),
    ])
    const isUnseen = topics === undefined && brokers === undefined && namespace === undefined
    if (isUnseen) return whichNamespacePage(viewerOf(visit), 'unrouted')
    return unroutedPage({ viewer: viewerOf(visit), topics, brokers })
  })
  get('/permissions', async (visit, context) => {
    const namespace = context.req.query('namespace') || undefined
    const may = await Promise.all(rights.map(({ verb, resource }) => visit.backend.may({ verb, resource, namespace })))
    return permissionsPage({ viewer: viewerOf(visit), namespace, may })
  })
}
