import type { Command } from './waybill.ts'

/** How often the process has become the leader, by the fields of its log: only those lines count the transitions. */
export const timesLed = ({ logs }: Command): number => leaseLines(logs(), 'transitions')

/** Whether the process has waited for a lease of another one. */
export const standsBy = ({ logs }: Command): boolean => leaseLines(logs(), 'holder') > 0

/** The number of complete log lines about a lease that have this field. */
const leaseLines = (logs: string, field: string): number =>
  logs
    .split('\n')
    .filter((line) => line.includes('"lease"') && line.endsWith('}'))
    .filter((line) => field in JSON.parse(line)).length
