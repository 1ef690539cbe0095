import { readFileSync, writeFileSync } from 'node:fs'
import { roomsTable } from './rooms.ts'

const page = 'docs/architecture.md'
const [begin, end] = ['<!-- rooms:start -->', '<!-- rooms:end -->']

/** The page of the architecture as it is, and as it should be: with the table of rooms between its two marks. */
export const roomsPage = (): { readonly found: string; readonly wanted: string } => {
  const found = readFileSync(page, 'utf8')
  const [before, rest = ''] = found.split(begin, 2)
  const after = rest.slice(rest.indexOf(end))
  return { found, wanted: `${before}${begin}\n${roomsTable()}\n${after}` }
}

if (import.meta.main) writeFileSync(page, roomsPage().wanted)
