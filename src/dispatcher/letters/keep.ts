import { runControllers } from '../../reconcile/run.ts'
import { fenced } from '../../store/fenced.ts'
import type { Leadership } from '../../store/leadership.ts'
import { deadLettersController } from './controller.ts'
import { finishedController } from './finished.ts'
import type { LettersOptions } from './options.ts'

/** Looks after the dead letters of all resources, and after what is done with them, during the leadership and until the signal. */
export const keepDeadLetters = async (
  options: Omit<LettersOptions, 'fence'>,
  { signal: leading, fence }: Leadership,
  signal: AbortSignal,
): Promise<void> => {
  const { log, metrics } = options
  const store = fenced(options.store, fence)
  const controllers = [deadLettersController({ ...options, store, fence }), finishedController(store, Date.now)]
  await runControllers(controllers, { log, metrics, fence }, AbortSignal.any([leading, signal])).done
  // Another process looks from now on.
  metrics.deadLettersOldest.reset()
}
