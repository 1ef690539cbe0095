import type { Context } from 'hono'
import { apiStatus } from '../api-status.ts'
import { type Access, bearerOf, type Wanted } from './access.ts'

/** What holds people's data is neither kept by caches nor guessed at by browsers. */
export const careful = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** The answer to somebody who may not do what is wanted; `undefined` where they may. */
export const denial = async (context: Context, access: Access, wanted: Wanted): Promise<Response | undefined> => {
  const caller = { host: context.req.header('host'), token: bearerOf(context.req.header('authorization')) }
  const denied = await access(caller, wanted)
  if (denied === undefined) return undefined
  const { code, reason, message } = denied
  const challenge = code === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return context.json(apiStatus(code, reason, message), code, { ...careful, ...challenge })
}
