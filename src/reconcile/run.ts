import type { Log } from '../telemetry/log.ts'
import type { Metrics, ReconcileLabels } from '../telemetry/metrics.ts'
import type { Span, Tracing } from '../telemetry/tracing.ts'
import type { Again, Controller } from './controller.ts'
import { workQueue } from './work-queue.ts'

export type RunOptions = {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'reconciles' | 'reconcileDuration' | 'reconcileErrors' | 'forgetReconciles'>
  readonly tracing?: Tracing | undefined
  /** Called before each reconcile; throws when another process leads, and nothing is done then. */
  readonly fence: (() => void) | undefined
}

export type Running = {
  /** Every key that there is was reconciled once, with or without success. */
  ready(): boolean
  /** Resolves when everything in flight has ended, after the signal. */
  readonly done: Promise<void>
}

/** Runs controllers side by side until the signal aborts. */
export const runControllers = (
  controllers: readonly Controller[],
  options: RunOptions,
  signal: AbortSignal,
): Running => {
  const running = controllers.map((controller) => runOne(controller, options, signal))
  return {
    ready: () => running.every(({ ready }) => ready()),
    done: Promise.all(running.map(({ done }) => done)).then(() => undefined),
  }
}

const runOne = (controller: Controller, options: RunOptions, signal: AbortSignal): Running => {
  const { log, metrics, tracing, fence } = options
  const { name } = controller
  const reconciled = new Set<string>()

  const forget = async (key: string): Promise<undefined> => {
    reconciled.delete(key)
    await controller.forget?.(key)
    const labels = controller.labels?.(key)
    if (labels) await metrics.forgetReconciles({ controller: name, ...labels })
  }

  const work = async (key: string): Promise<Again | undefined> => {
    fence?.()
    if (!controller.keys().has(key)) return forget(key)
    const labels = { controller: name, ...controller.labels?.(key) }
    const stopTimer = metrics.reconcileDuration.startTimer(labels)
    const span = tracing && controller.labels && startReconcile(tracing, labels)
    let failure: string | undefined
    try {
      const again = await controller.reconcile(key, signal)
      metrics.reconciles.inc({ ...labels, result: again?.failed ? 'failed' : 'done' })
      if (again?.failed) failure = 'NotDone'
      return again
    } catch (error) {
      failure = error instanceof Error ? error.name : 'Error'
      signal.throwIfAborted()
      metrics.reconciles.inc({ ...labels, result: 'failed' })
      if (!controller.isExpected?.(error)) metrics.reconcileErrors.inc({ controller: name })
      throw error
    } finally {
      reconciled.add(key)
      stopTimer()
      span?.end(Date.now(), () => ({}), failure)
    }
  }

  const failed = (key: string, error: unknown, retryMs: number): void => {
    const fields = { controller: name, key, retryMs: Math.round(retryMs) }
    // Statuses report an expected error already; a log line for every further try says nothing new.
    if (controller.isExpected?.(error)) log.debug({ ...fields, reason: error.message }, 'Could not reconcile, retrying')
    else log.error({ ...fields, error }, 'Could not reconcile, retrying')
  }

  const queue = workQueue({ work, failed, random: Math.random }, signal)
  const stop = controller.watch(queue.add, signal)
  return {
    ready: () => [...controller.keys()].every((key) => reconciled.has(key)),
    done: queue.done.then(stop),
  }
}

type ReconcileSpan = { readonly controller: string } & Partial<ReconcileLabels>

const startReconcile = (tracing: Tracing, { controller, namespace, broker }: ReconcileSpan): Span =>
  tracing.start({
    name: `reconcile ${controller}`,
    at: Date.now(),
    attributes: () => ({
      'k8s.namespace.name': namespace,
      'waybill.broker': broker,
      'waybill.controller': controller,
    }),
  })
