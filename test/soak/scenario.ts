import type { Replay } from '../../src/api/kinds/replay.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import { jobOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'
import type { Ground } from './ground.ts'

export type Size = {
  /** Dead letters. */
  readonly letters: number
  /** Messages a second of a Replay, and of live traffic. */
  readonly rate: number
  readonly live: number
  /** How often something is measured with and without. */
  readonly rounds: number
  /** How long the subscribers of live messages need for each. */
  readonly answerMs: number
}

/** A figure that was measured, and whether it is what is promised. */
export type Figure = {
  readonly what: string
  readonly is: string
  readonly target: string
  readonly isReached: boolean
}

export type Scenario = {
  readonly about: string
  readonly letters: number
  /** Of the Broker: how often its dead letters are looked at for the status. */
  readonly resyncInterval: string
  run(ground: Ground, size: Size, say: (line: string) => void): Promise<Figure[]>
}

export const figure = (what: string, is: string | number, target: string, isReached: boolean): Figure => ({
  ...{ what, is: String(is), target, isReached },
})

export const atMost = (what: string, is: number, most: number, unit: string): Figure =>
  figure(what, `${is.toFixed(is < 10 ? 2 : 0)} ${unit}`.trim(), `at most ${most} ${unit}`.trim(), is <= most)

/** Creates a Replay, or changes it. */
export const startReplay = ({ folder }: Ground, spec: object): void =>
  folder.write('replay', [jobOf('Replay', 'big', { maxMessages: 10_000_000, ...spec }, 'soak')])

export const replayOf = ({ waybill }: Ground): Promise<Replay | undefined> => waybill.get(replay, 'soak')

/** Waits until it has ended, and says every ten seconds how far it is. */
export const endOf = async (ground: Ground, say: (line: string) => void, withinMs = 1_800_000): Promise<Replay> => {
  let saidAt = performance.now()
  return eventually(
    async () => {
      const found = await replayOf(ground)
      const { conditions = [], matched, delivered, failed, left } = found?.status ?? {}
      if (performance.now() - saidAt > 10_000) {
        say(`  matched ${matched}, delivered ${delivered}, failed ${failed}, left ${left}`)
        saidAt = performance.now()
      }
      const hasEnded = conditions.some(({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True')
      return hasEnded ? found : undefined
    },
    { timeoutMs: withinMs, everyMs: 200 },
  )
}

export const reasonOf = ({ status }: Replay): string => {
  const ended = status?.conditions?.find(
    ({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True',
  )
  return `${ended?.type} ${ended?.reason}: ${ended?.message}`
}
