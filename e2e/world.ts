import { fileURLToPath } from 'node:url'
import type { Shop } from '../examples/omega/demo/shop.ts'
import type { ApiProxy } from './api-proxy.ts'
import type { BrokerAccess } from './broker-access.ts'
import type { Cluster } from './cluster.ts'
import type { ImageValues } from './image.ts'
import type { Report } from './report.ts'

/** What the steps work with. */
export type World = {
  readonly cluster: Cluster
  readonly proxy: ApiProxy
  readonly report: Report
  readonly image: ImageValues
  /** Of the older release, which the run begins with. */
  readonly olderImage: ImageValues
}

/** The same, once the shop is running. */
export type ShopWorld = World & { readonly shop: Shop; readonly broker: BrokerAccess }

/** The path of something in the repository. */
export const inRepository = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
