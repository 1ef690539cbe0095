import type { Vhost } from '../test/support/vhost.ts'

/** Declares a durable quorum queue without further arguments. */
export const putQuorumQueue = async ({ name: vhost, manage }: Vhost, name: string): Promise<void> => {
  const queue = { durable: true, auto_delete: false, arguments: { 'x-queue-type': 'quorum' } }
  await manage('PUT', `/queues/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`, queue)
}
