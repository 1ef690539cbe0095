import { setTimeout as delay } from 'node:timers/promises'
import { repeat } from '../async/repeat.ts'
import { startOperator } from '../operator/main.ts'
import { fenced } from '../store/fenced.ts'
import { createDropped, namespacesAnnotation } from '../store/kubernetes/unwatched/dropped.ts'
import { keepReleasing } from '../store/kubernetes/unwatched/keep-releasing.ts'
import type { Store } from '../store/store.ts'
import { type ClusterOptions, joinCluster, namesOf } from './cluster.ts'
import { startProcess } from './process.ts'
import { serve } from './serve.ts'

export type OperatorOptions = ClusterOptions & { readonly instance: string; readonly dispatcherLeaseName: string }

/** How long work in flight may take after leadership was lost; the fence lets it change nothing any more. */
const endsWithinMs = 1_000

const releaseEveryMs = 5_000

/** The operator on Kubernetes, of which one leads, until SIGTERM or SIGINT. @throws Failure */
export const operator = async (options: OperatorOptions): Promise<void> => {
  const { listen, instance } = options
  const own = startProcess(options, 'operator')
  const { log, metrics, stop } = own
  const tracing = await own.tracing('waybill-operator')
  const member = await joinCluster('waybill-operator', options, own)
  let store: Store | undefined
  const readiness = { 'resources listed': () => store !== undefined }
  const { url } = await serve({ listen, readiness, store: () => store, resources: false }, own)
  log.info({ url, server: member.server, instance, ...namesOf(options) }, 'Started')

  const opened = await member.open()
  if (opened && !stop.aborted) {
    store = opened
    const dropped = createDropped(opened.watchedNow)
    const isWatched = (namespace: string) => opened.watchedNow()?.includes(namespace) ?? true
    const remember = (before: Readonly<Record<string, string | undefined>>) => ({
      [namespacesAnnotation]: dropped.annotation(before[namespacesAnnotation]),
    })
    opened.onChange(({ namespace }) => dropped.changed(namespace))
    await member.lead(async ({ fence, signal }) => {
      const dispatchers = member.watchLease(options.dispatcherLeaseName, signal)
      const running = startOperator(
        { store: fenced(opened, fence), instance, log, metrics, tracing, fence, dispatchers },
        signal,
      )
      const release = () =>
        opened.releaseInvalid(fence).catch((error: unknown) => {
          if (!signal.aborted) log.warn({ error }, 'Could not remove the finalizer from an invalid resource')
        })
      void repeat(releaseEveryMs, release, signal)
      void keepReleasing({ client: member.client, dropped, isWatched, fence, log }, signal)
      const over = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      await Promise.race([running.done, over.then(() => delay(endsWithinMs, undefined, { ref: false }))])
      metrics.forgetObserved()
    }, remember)
  }
  await member.close()
  await own.stopped()
}
