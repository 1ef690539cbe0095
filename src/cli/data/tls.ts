import { readFileSync } from 'node:fs'
import type { Tls } from '../../server/secure.ts'
import { Failure } from '../failure.ts'

/** Certificate and key from files in PEM; `undefined` where none are named, or one alone. @throws Failure when they are read */
export const tlsFiles = (cert: string | undefined, key: string | undefined): Tls | undefined =>
  cert === undefined || key === undefined ? undefined : () => ({ cert: read(cert), key: read(key) })

const read = (file: string): Buffer => {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Failure(`Cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`, { cause })
  }
}
