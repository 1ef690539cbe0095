import { count, type DeliveryStats } from '../../delivery/stats.ts'
import type { AddressGuard } from '../../http/address-guard.ts'
import { createSender, type TlsOptions } from '../../http/send.ts'
import type { Amqp, AmqpState, ConsumerState, Delivery } from '../../rabbit/amqp/port.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { createDeliver } from '../pipeline/deliver.ts'
import { meter } from '../pipeline/meter.ts'
import type { Route } from '../pipeline/route.ts'
import type { Waiting, WorkerState } from '../replicas/snapshot.ts'

export type WorkerOptions = {
  readonly amqp: Amqp
  readonly route: Route
  readonly tls: TlsOptions | undefined
  readonly guard: AddressGuard
  readonly metrics: Metrics
  readonly log: Log
  /** How long messages in flight may take after `stop`. */
  readonly drainTimeoutMs: number
  /** Where it counts; an earlier worker of the subscription may have begun. */
  readonly stats: DeliveryStats
  levels(): readonly number[]
  /** Its state changed in a way that a report may show. */
  changed(): void
}

/** One subscription being delivered: its consumer, its sender and its counts. */
export type Worker = {
  readonly route: Route
  state(): WorkerState
  /** Takes nothing new and ends what is in flight. */
  stop(): Promise<void>
}

/** A longer one fires at once. */
const longestTimerMs = 2 ** 31 - 1

/** A consumer that is there sooner than this was never missing. */
const graceMs = 3_000

export const startWorker = (options: WorkerOptions): Worker => {
  const { amqp, route, tls, guard, metrics, log, drainTimeoutMs, stats, levels, changed } = options
  const { concurrency, timeoutMs } = route.terms
  const sender = createSender(route.target, { timeoutMs, concurrency, guard, ...(tls ? { tls } : {}) })
  const measured = meter(metrics, route.subscription)
  const stopping = new AbortController()
  let consumerState: ConsumerState = { is: 'waiting', reason: 'Not connected yet' }
  let broker: AmqpState = { consuming: 'down', publishing: 'down' }
  let blocked: string | undefined
  let gone = false
  let graceUntil = Date.now() + graceMs
  let stopped: Promise<void> | undefined

  const deliver = createDeliver(
    {
      route,
      amqp,
      sender,
      levels,
      settled(outcome, decision, history, begun, ended) {
        measured.settled(outcome, decision, ended - begun)
        count(stats, outcome, decision, history.firstAttempt ?? ended, ended)
        changed()
      },
      gone() {
        gone = true
        void stop()
        changed()
      },
      delayed: measured.delayed,
      blocked(error) {
        if (error) {
          measured.unconfirmed()
          if (blocked === undefined)
            log.warn({ subscription: route.id, error: error.message }, 'Kept messages whose copies were not confirmed')
        }
        blocked = error?.message
        changed()
      },
    },
    stopping.signal,
  )

  const onDelivery = (delivery: Delivery): void => {
    deliver(delivery).catch((error: unknown) => {
      // A fault of ours: the broker dead-letters the message once it came back too often, so it cannot go round for ever.
      log.error({ subscription: route.id, error }, 'Could not handle a message, which goes back to its queue')
      delivery.requeue()
    })
  }

  const unsubscribe = amqp.onState((state) => {
    broker = state
    changed()
  })
  const consumer = amqp.consume({
    queue: route.queue,
    prefetch: concurrency,
    onDelivery,
    onState(state) {
      consumerState = state
      if (state.is === 'consuming') graceUntil = 0
      changed()
    },
  })

  const stop = (): Promise<void> => {
    stopped ??= end()
    return stopped
  }

  const end = async (): Promise<void> => {
    unsubscribe()
    const limit = AbortSignal.timeout(Math.min(drainTimeoutMs, longestTimerMs))
    limit.addEventListener('abort', () => void sender.abandon())
    const drained = consumer.stop(limit)
    // What waits for a confirm that does not come goes back to its queue.
    stopping.abort()
    await drained
    await sender.abandon()
  }

  const waiting = (): Waiting | undefined => {
    if (consumerState.is === 'consuming') return undefined
    if (broker.consuming === 'up') return { reason: 'NoConsumer', message: consumerState.reason }
    const reason = broker.reason ?? consumerState.reason
    return { reason: 'BrokerUnreachable', message: `No AMQP connection: ${reason}` }
  }

  const state = (): WorkerState => ({
    generation: route.subscription.metadata.generation,
    starting: Date.now() < graceUntil,
    waiting: waiting(),
    blocked,
    gone,
  })

  return { route, state, stop }
}
