import type { Context, Hono } from 'hono'
import type { Html } from './pages/markup.ts'
import { base } from './pages/paths.ts'
import { problemPage } from './pages/problem.ts'
import { type Site, type Visit, viewerOf } from './visit.ts'

/** Adds pages for those who are logged in, and what forms do. */
export type Pages = {
  get(path: string, show: (visit: Visit, context: Context) => Promise<Html | Response>): void
  /** Its form token has been checked. A GET is answered with 405. */
  post(path: string, act: (visit: Visit, form: URLSearchParams, context: Context) => Promise<Html | Response>): void
}

export const pagesOf = (app: Hono, site: Site): Pages => ({
  get(path, show) {
    app.get(`${base}${path}`, async (context) => {
      const visit = await site.visitOf(context)
      if (visit === undefined) return site.toLogin(context)
      return answered(context, await show(visit, context))
    })
  },
  post(path, act) {
    app.get(`${base}${path}`, (context) => {
      context.header('allow', 'POST')
      return answerWith(context, problemPage(405, 'This is done by a form of the console, not by a link.'), 405)
    })
    app.post(`${base}${path}`, async (context) => {
      const visit = await site.visitOf(context)
      if (visit === undefined) return site.toLogin(context)
      const form = new URLSearchParams(await context.req.text())
      if (!site.isFormOf(visit, form)) {
        const message =
          'This form is of another session, so nothing was done: go back, load the page anew, and try again.'
        return answerWith(context, problemPage(403, message, viewerOf(visit)), 403)
      }
      return answered(context, await act(visit, form, context))
    })
  },
})

const answered = (context: Context, made: Html | Response): Response | Promise<Response> =>
  made instanceof Response ? made : context.html(made)

export const answerWith = (context: Context, made: Html, code: number): Response | Promise<Response> =>
  context.html(made, code as 400)
