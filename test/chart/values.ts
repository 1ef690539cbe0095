import { options } from './options.ts'

export type Tree = { readonly [key: string]: unknown }

/** A non-empty object. */
export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0

const merged = (a: Tree, b: Tree): Tree => {
  const both = Object.entries(b).map(([key, value]) => {
    const known = a[key]
    return [key, isTree(known) && isTree(value) ? merged(known, value) : value] as const
  })
  return { ...a, ...Object.fromEntries(both) }
}

/** Every option of the table at once, except those that remove objects. */
export const all: Tree = [
  ...Object.values(options).map(({ values }) => values as Tree),
  {
    // Those of an option that has an effect only with them: the namespaces would have to exist.
    watchNamespaces: [],
    // The API server of the tests has them already.
    crds: { install: false },
    rbac: { create: true, aggregate: true, finalizersEverywhere: true },
    podDisruptionBudget: { enabled: true },
    networkPolicy: { enabled: true },
  },
].reduce(merged)
