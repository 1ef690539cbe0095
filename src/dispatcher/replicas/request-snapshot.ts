import { Agent, errors, request } from 'undici'

const answerWithinMs = 1_000
/** Ten thousand subscriptions with the latest failure of each, and as many counts of those that are gone as are kept. */
const mostBytes = 32 * 1024 * 1024

/** Another replica answered something that is not a snapshot. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
}

export type SnapshotRequests = {
  /**
   * The JSON that a replica answers with, `undefined` where nothing changed; within a second.
   * @throws SnapshotError, or another error where there is no answer
   */
  get(url: string): Promise<unknown>
  close(): Promise<void>
}

export const snapshotRequests = (): SnapshotRequests => {
  const agent = new Agent({ connect: { timeout: answerWithinMs }, maxResponseSize: mostBytes })
  return {
    async get(url) {
      try {
        const { statusCode, body } = await request(url, {
          dispatcher: agent,
          signal: AbortSignal.timeout(answerWithinMs),
        })
        if (statusCode === 200) return parsed(await body.text())
        await body.dump()
        if (statusCode === 204) return undefined
        throw new SnapshotError(`The response has status ${statusCode}`)
      } catch (error) {
        if (!(error instanceof errors.ResponseExceededMaxSizeError)) throw error
        throw new SnapshotError(`The response is larger than ${mostBytes} bytes`, { cause: error })
      }
    },
    close: () => agent.destroy(),
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SnapshotError('The response is not JSON', { cause })
  }
}
