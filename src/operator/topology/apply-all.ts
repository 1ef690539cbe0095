import type { Planned } from '../../topology/change.ts'

export type Applied = { readonly planned: Planned; readonly error?: unknown }

/** Declarations of quorum queues wait for disk writes, which they share; more at a time gained nothing measurable. */
const atATime = 64

/**
 * Makes the changes stage by stage. A change that fails skips the later stages of its owner, and of no other. `stops`
 * decides which errors end everything, for example because the broker went away.
 */
export const applyAll = async (
  stages: readonly (readonly Planned[])[],
  apply: (planned: Planned) => Promise<void>,
  stops: (error: unknown) => boolean,
): Promise<Applied[]> => {
  const results: Applied[] = []
  const failed = new Set<string>()
  for (const stage of stages) {
    const todo = stage.filter(({ owner }) => !failed.has(owner))
    let next = 0
    const worker = async () => {
      for (let planned = todo[next++]; planned !== undefined; planned = todo[next++]) {
        try {
          await apply(planned)
          results.push({ planned })
        } catch (error) {
          if (stops(error)) {
            next = todo.length
            throw error
          }
          failed.add(planned.owner)
          results.push({ planned, error })
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(atATime, todo.length) }, worker))
  }
  return results
}
