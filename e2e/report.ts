import { styleText } from 'node:util'
import { type Say, terminal } from '../examples/omega/demo/say.ts'

export type Report = {
  /** For a story of the demonstration; its checks are counted. */
  readonly say: Say
  section(title: string): void
  /**
   * Runs a step and prints its title, its duration and the text that it returns. Resolves with whether it did not
   * throw.
   */
  step(title: string, work: () => Promise<unknown>): Promise<boolean>
  readonly counts: { passed: number; failed: number }
}

/** Prints and counts the steps. The first three failures are followed by the text of `diagnose`. */
export const createReport = (print: (line: string) => void, diagnose: () => Promise<string>): Report => {
  const counts = { passed: 0, failed: 0 }
  const say = terminal(print)
  const count = (held: boolean): void => {
    if (held) counts.passed += 1
    else counts.failed += 1
  }
  return {
    counts,
    say: {
      ...say,
      judge(held, text) {
        count(held)
        say.judge(held, text)
      },
    },
    section: (title) => print(`\n${styleText('bold', title)}`),
    async step(title, work) {
      const startedMs = performance.now()
      const took = () => `${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5)} s`
      try {
        const note = await work()
        print(
          `${styleText('dim', took())}  ${styleText('green', '✓')} ${title}${typeof note === 'string' && note ? `: ${note}` : ''}`,
        )
        count(true)
        return true
      } catch (error) {
        print(`${styleText('dim', took())}  ${styleText('red', '✗')} ${title}`)
        print(styleText('red', reasonOf(error)))
        count(false)
        if (counts.failed <= 3) print(await diagnose().catch(reasonOf))
        return false
      }
    },
  }
}

const reasonOf = (error: unknown): string => {
  const { message = String(error), cause } = Object(error) as Partial<Error>
  return `         ${message}${cause === undefined ? '' : `\n         caused by: ${Object(cause).message ?? cause}`}`
}
