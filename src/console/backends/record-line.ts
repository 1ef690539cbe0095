import { BackendError, type RevealedHeader } from '../port.ts'

/** The headers in the first line of an export. @throws BackendError where there is none */
export const revealedIn = (lines: string): RevealedHeader[] => {
  const [line = ''] = lines.split('\n', 1)
  const record = line === '' ? {} : (JSON.parse(line) as { readonly id?: unknown; readonly headers?: unknown })
  if (typeof record.id !== 'string') throw new BackendError(404, 'This dead letter is no longer there.')
  return (Array.isArray(record.headers) ? record.headers : []).map(revealed)
}

/** As exports have it: a value that JSON can say, or bytes in base64. */
const revealed = (header: unknown): RevealedHeader => {
  const { name, nameBytes, v, b } = header as Readonly<Record<string, unknown>>
  return { name: String(name ?? nameBytes), value: String(v ?? b ?? '') }
}
