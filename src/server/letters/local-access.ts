import { isSameSecret } from '../same-secret.ts'
import { type Access, unauthenticated } from './access.ts'

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** Whether a header `Host` names this machine as itself. */
export const isLoopbackName = (host: string): boolean => loopback.test(host)

/**
 * Everything for everyone who has the token, under a loopback name only: a web page that resolves a name of its own to this
 * machine sends that name as `Host`.
 */
export const localAccess =
  (token: string): Access =>
  async (caller) => {
    if (!isLoopbackName(caller.host ?? '')) {
      return { code: 421, reason: 'MisdirectedRequest', message: 'is answered under localhost and 127.0.0.1 only' }
    }
    return caller.token !== undefined && isSameSecret(caller.token, token) ? undefined : unauthenticated
  }
