import type { Fault } from '../fault.ts'

/** Faults of the folder of manifests. */

export const halfWritten: Fault = async ({ folder }) => {
  folder?.write('half', 'apiVersion: waybill.dev/v1alpha1\nkind: Topic\nmetadata: {name: ha')
  return async () => folder?.delete('half')
}
