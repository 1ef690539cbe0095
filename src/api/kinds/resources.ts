import type { Resource } from '../resource.ts'
import type { AnyKind } from './kinds.ts'

/** All resources of every kind at one moment, by the plural of the kind. */
export type Resources = { readonly [K in AnyKind as K['plural']]: readonly Resource<K>[] }
