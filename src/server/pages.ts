import type { Routes } from './routes.ts'

export type Page = (query: URLSearchParams) => object | undefined

/** Pages by path, answered as JSON; `undefined` is answered 204. */
export const pageRoutes =
  (pages: Readonly<Record<string, Page>>): Routes =>
  (app) => {
    for (const [path, page] of Object.entries(pages)) {
      app.get(path, (context) => {
        const found = page(new URL(context.req.url).searchParams)
        return found === undefined ? context.body(null, 204) : context.json(found)
      })
    }
  }
