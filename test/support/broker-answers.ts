import { setTimeout as delay } from 'node:timers/promises'
import type { Reachable } from './broker.ts'
import type { Tethered } from './tethered.ts'

/** Waits until a started broker accepts AMQP connections and management requests; stops it if it does not. */
export const brokerAnswers = async (broker: Reachable, started: Tethered, internalPort?: number): Promise<void> => {
  const port = internalPort ?? new URL(broker.amqpUrl).port
  const url = `${broker.managementUrl}/api/health/checks/port-listener/${port}`
  const headers = { authorization: `Basic ${btoa('guest:guest')}` }
  for (let waitedMs = 0; waitedMs < 90_000; waitedMs += 100) {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    if (!started.running()) break
    await delay(100)
  }
  const output = started.output()
  await started.stop()
  throw new Error(`RabbitMQ did not start. Its last output:\n${output}`)
}
