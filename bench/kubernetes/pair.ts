import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { peakRssMiBOf, rssMiBOf } from '../process-tree.ts'
import { type Program, startProgram } from '../program.ts'

export type Role = 'operator' | 'dispatcher'
export type Memory = { readonly peakMiB: number; readonly nowMiB: number }
export type Memories = Readonly<Record<Role, Memory>>

/** `waybill operator` and `waybill dispatcher`, as two processes. */
export type Pair = {
  readonly programs: readonly Program[]
  memory(): Memories
  /** How often the operator has compared everything with the broker. */
  reconciles(): Promise<number>
  stop(): Promise<void>
}

/** Starts both at once from the program at the path `main`. Their output goes to `folder`. */
export const startPair = async (main: string, kubeconfig: string, folder: string): Promise<Pair> => {
  const addresses = { operator: `127.0.0.1:${await freePort()}`, dispatcher: `127.0.0.1:${await freePort()}` }
  const options = { operator: [], dispatcher: ['--allow-loopback'] }
  const start = (role: Role): Program =>
    startProgram([process.execPath, main, role, '--listen', addresses[role], ...options[role]], {
      env: { KUBECONFIG: kubeconfig },
      logFile: join(folder, `${role}.log`),
    })
  const programs: Readonly<Record<Role, Program>> = { operator: start('operator'), dispatcher: start('dispatcher') }
  const memoryOf = ({ pid }: Program): Memory => ({ peakMiB: peakRssMiBOf(pid), nowMiB: rssMiBOf(pid) })
  return {
    programs: Object.values(programs),
    memory: () => ({ operator: memoryOf(programs.operator), dispatcher: memoryOf(programs.dispatcher) }),
    async reconciles() {
      const answer = await fetch(`http://${addresses.operator}/metrics`).catch(() => undefined)
      const done = /^waybill_reconcile_total\{controller="topology",.*result="done".*\} (\d+)$/m.exec(
        (await answer?.text()) ?? '',
      )
      return Number(done?.[1] ?? 0)
    },
    async stop() {
      await Promise.all(Object.values(programs).map((program) => program.stop()))
    },
  }
}
