import { durationMs, type Lease, type LeaseSpec } from './lease-record.ts'

/** What a candidate knows of the holder of the lease. */
export const watchRival = (identity: string) => {
  let seen: { readonly text: string; readonly spec: LeaseSpec; readonly at: number } | undefined
  return {
    /** The lease was read; `undefined` where there is none. */
    saw(lease: Lease | undefined): void {
      const spec = lease ? lease.spec : seen?.spec
      const text = JSON.stringify([lease === undefined, spec])
      if (seen?.text !== text) seen = { text, spec: spec ?? {}, at: performance.now() }
    },
    name: (): string => seen?.spec.holderIdentity ?? '',
    /** How long it may still rely on the lease; 0 where there is no rival. */
    reliesForMs(): number {
      const { holderIdentity, leaseDurationSeconds: seconds } = seen?.spec ?? {}
      if (seen === undefined || !holderIdentity || holderIdentity === identity) return 0
      return Math.max(0, seen.at + (seconds ? seconds * 1000 : durationMs) - performance.now())
    },
  }
}
