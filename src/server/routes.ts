import type { Hono } from 'hono'

/** A group of pages: adds its routes to the application. */
export type Routes = (app: Hono) => void
