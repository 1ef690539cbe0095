import type { Cluster } from './cluster.ts'
import { podsOfWaybill, system } from './names.ts'

/** The state of pods, resources, Events and logs, to explain a failure. */
export const diagnose = async ({ kubectl }: Cluster): Promise<string> => {
  const looks: Record<string, readonly string[]> = {
    pods: ['get', 'pods', '-A', '-o', 'wide'],
    resources: ['get', 'waybill', '-A'],
    'last Events': ['get', 'events', '-A', '--sort-by=.lastTimestamp'],
    logs: ['-n', system, 'logs', '-l', podsOfWaybill, '--tail=25', '--prefix', '--max-log-requests=20'],
  }
  const texts: string[] = []
  for (const [title, args] of Object.entries(looks)) {
    const output = await kubectl(args, { timeoutMs: 20_000 }).catch((error: Error) => error.message)
    texts.push(`--- ${title}`, output.trimEnd().split('\n').slice(-60).join('\n'))
  }
  return texts.join('\n').replace(/^/gm, '         ')
}
