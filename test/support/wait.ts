import { setTimeout } from 'node:timers/promises'

/**
 * Evaluates `condition` every few milliseconds until it holds, and returns its result. A condition holds when it
 * returns something other than `false`, `undefined` or `null`; one that throws is evaluated again.
 *
 * @throws after `timeoutMs`, with the last error of the condition as its cause
 */
export const eventually = async <T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 60_000, everyMs = 10 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> => {
  const deadlineMs = performance.now() + timeoutMs
  for (let cause: unknown; ; await setTimeout(everyMs)) {
    try {
      const result = await condition()
      if (result !== false && result !== undefined && result !== null) return result as NonNullable<Exclude<T, false>>
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`Did not become true within ${timeoutMs} ms: ${condition}`, { cause })
    }
  }
}
