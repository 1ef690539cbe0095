import type { AddressGuard } from '../../http/address-guard.ts'
import type { Route } from '../pipeline/route.ts'

const askEveryMs = 3_000

/**
 * Tells while the Service that a subscription names has no address, before a message shows it, and `undefined` once it has
 * one: from then on the attempts tell. The name is asked for, not the Service: to read Services would take a right that
 * nothing else here needs. Only a clear "there is no such name" counts: a name server that is away or slow says nothing.
 */
export const watchServiceName = (
  { subscription, target }: Route,
  { lookup }: Pick<AddressGuard, 'lookup'>,
  tell: (missing: string | undefined) => void,
  signal: AbortSignal,
): void => {
  const { serviceRef } = subscription.spec.subscriber
  if (serviceRef === undefined) return
  const host = new URL(target.origin).hostname
  const missing =
    `spec.subscriber.serviceRef: ${host} has no address: there is no Service ${JSON.stringify(serviceRef.name)} in this ` +
    'namespace, or it is headless and has no ready Pod. Create the Service or correct the name; messages are tried and retried meanwhile'

  const ask = (): void => {
    if (signal.aborted) return
    lookup(host, { all: true }, (error) => {
      if (signal.aborted) return
      if (error === null) return tell(undefined)
      if (error.code === 'ENOTFOUND') tell(missing)
      setTimeout(ask, askEveryMs).unref()
    })
  }
  ask()
}
