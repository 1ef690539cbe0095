import { apiVersion, type Kind } from '../../../api/resource.ts'

type Name = { readonly namespace: string; readonly name: string }

/** All resources of a kind, of one namespace or, where it is left out, of all. */
export const collectionPath = ({ plural }: Kind, namespace?: string): string =>
  namespace === undefined
    ? `/apis/${apiVersion}/${plural}`
    : `/apis/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/${plural}`

export const resourcePath = (kind: Kind, { namespace, name }: Name): string =>
  `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`

/** One object of the core group, or all of a namespace where `name` is left out. */
export const corePath = (plural: 'secrets' | 'events', namespace: string, name?: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
