import { startSubscriber } from '../../../test/support/subscriber.ts'
import type { Answer, Subscriber } from './shop.ts'

export type LocalSubscriber = Subscriber & { readonly port: number }

/** A subscriber of the shop as an HTTP server of this process. Port 0 picks a free port. */
export const localSubscriber = async (preferredPort: number): Promise<LocalSubscriber> => {
  const { port, received, answer, close, open } = await startSubscriber(preferredPort)
  let current: Answer = { status: 204 }
  let changed = Promise.withResolvers<void>()
  answer(async ({ headers }) => {
    for (; ; await changed.promise) {
      const { status, body = '', only } = current
      if (only?.includes(String(headers['ce-id'])) === false) return 204
      if (status !== 'hang') return { status, body }
    }
  })
  return {
    port,
    async received() {
      return received.map(({ at, headers, status }) => ({
        at,
        id: String(headers['ce-id']),
        webhookId: String(headers['webhook-id']),
        ...(status === undefined ? {} : { status }),
      }))
    },
    async answer(next) {
      current = next
      changed.resolve()
      changed = Promise.withResolvers()
    },
    switchOff: close,
    switchOn: open,
  }
}
