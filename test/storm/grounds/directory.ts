import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestFolder } from '../../support/manifests.ts'
import { runWaybill } from '../../support/waybill.ts'
import type { Ground } from './ground.ts'
import { keep } from './process.ts'

/** A folder of manifests, and one process of `waybill run`. */
export const directoryGround = async (logFile: string): Promise<Ground> => {
  const folder = manifestFolder()
  const ended: string[] = []
  const launch = () => runWaybill(folder.path, { logFile, args: ['--drain-timeout', '5s'] })
  const waybill = keep('waybill run', launch, (what) => ended.push(what))
  const file = (name: string) => join(folder.path, `${name}.yaml`)
  return {
    ...{ namespace: 'shop', dispatchers: 1, ended },
    write: async (group, manifests) => folder.write(group, manifests),
    delete: async (group) => rmSync(file(group), { force: true }),
    list: async (kind) => waybill.running().list(kind),
    start: () => waybill.start(),
    faults: {
      ...{ processes: [waybill], api: undefined },
      folder: {
        write: (name, text) => writeFileSync(file(name), text),
        delete: (name) => rmSync(file(name), { force: true }),
      },
    },
    async [Symbol.asyncDispose]() {
      await waybill.stop()
      folder.drop()
    },
  }
}
