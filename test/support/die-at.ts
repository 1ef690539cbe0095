import { subscribe } from 'node:diagnostics_channel'

/** What is written to the broker waits for the end of the turn; until then the moment after it is no other than that before. */
const written = /^(copy-published|message-acknowledged|message-requeued):after$/

const die = () => process.kill(process.pid, 'SIGKILL')

/**
 * Preloaded into a process: kills it at the moment of an effect that `WAYBILL_DIE_AT` names, as `copy-confirmed:before`, when it
 * comes for the `WAYBILL_DIE_ON`th time.
 */
const { WAYBILL_DIE_AT: moment, WAYBILL_DIE_ON: on = '1' } = process.env
let left = Number(on)
if (moment !== undefined) {
  subscribe(`waybill:${moment}`, () => {
    left -= 1
    if (left !== 0) return
    // The client's own immediate, which hands the bytes to the kernel, was asked for earlier and so comes first.
    if (written.test(moment)) setImmediate(die)
    else die()
  })
}
