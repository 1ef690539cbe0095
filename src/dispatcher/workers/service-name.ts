import type { AddressGuard } from '../../http/address-guard.ts'
import type { Route } from '../pipeline/route.ts'

/** How often the name is asked for, while there is none and while there is one, so that a change is told within 30 s. */
const askEvery = { missingMs: 3_000, foundMs: 20_000 }

/**
 * Tells while the Service that a subscription names has no address, before a message shows it, and `undefined` once it has
 * one; also when it comes or goes later, for there may be no attempt that tells. The name is asked for, not the Service: to read Services would take a right that
 * nothing else here needs. Only a clear "there is no such name" counts, and twice where there was one: a name server that is away or
 * slow says nothing.
 */
export const watchServiceName = (
  { subscription, target }: Route,
  { lookup }: Pick<AddressGuard, 'lookup'>,
  tell: (missing: string | undefined) => void,
  signal: AbortSignal,
  { missingMs, foundMs } = askEvery,
): void => {
  const { serviceRef } = subscription.spec.subscriber
  if (serviceRef === undefined) return
  const host = new URL(target.origin).hostname
  const missing =
    `spec.subscriber.serviceRef: ${host} has no address: there is no Service ${JSON.stringify(serviceRef.name)} in this ` +
    'namespace, or it is headless and has no ready Pod. Create the Service or correct the name; messages are tried and retried meanwhile'

  let was: 'unknown' | 'found' | 'doubtful' | 'missing' = 'unknown'
  const ask = (): void => {
    if (signal.aborted) return
    lookup(host, { all: true }, (error) => {
      if (signal.aborted) return
      const isThere = error === null
      if (isThere && was !== 'found') tell(undefined)
      const isClear = error?.code === 'ENOTFOUND'
      if (isClear && (was === 'unknown' || was === 'doubtful')) tell(missing)
      if (isThere) was = 'found'
      else if (isClear) was = was === 'found' ? 'doubtful' : 'missing'
      setTimeout(ask, isThere ? foundMs : missingMs).unref()
    })
  }
  ask()
}
