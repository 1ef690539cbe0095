import { subscribe } from 'node:diagnostics_channel'

/**
 * Preloaded into a process: kills it at the moment of an effect that `WAYBILL_DIE_AT` names, as `copy-confirmed:before`, when it
 * comes for the `WAYBILL_DIE_ON`th time.
 */
const { WAYBILL_DIE_AT: moment, WAYBILL_DIE_ON: on = '1' } = process.env
let left = Number(on)
if (moment !== undefined) {
  subscribe(`waybill:${moment}`, () => {
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  })
}
