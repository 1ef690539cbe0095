import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Log } from '../../src/telemetry/log.ts'

/** A folder of its own for manifests; gone after `close`. */
export const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'waybill-'))
  return {
    path,
    async write(name: string, text: string): Promise<string> {
      const file = join(path, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
      return file
    },
    close: () => rmSync(path, { recursive: true, force: true }),
  }
}

export const topic = (name: string, spec = 'brokerRef: { name: main }', metadata = ''): string => `
apiVersion: waybill.dev/v1alpha1
kind: Topic
metadata: { name: ${name}${metadata} }
spec: { ${spec} }
`

export const secret = (name: string, password: string): string => `
apiVersion: v1
kind: Secret
metadata: { name: ${name} }
stringData: { password: ${JSON.stringify(password)} }
`

export type Line = { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }

/** A log that remembers. */
export const memoryLog = (): Log & { readonly lines: Line[] } => {
  const lines: Line[] = []
  const write = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message })
  }
  const log = { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  return { ...log, child: () => ({ ...log, child: () => log as never }) }
}
