import { JSONPath } from 'jsonpath-plus'
import { age } from '../api/age.ts'
import type { Column, Kind, Resource } from '../api/resource.ts'

export type TableOptions = {
  /** With the columns that kubectl shows for `-o wide` only. */
  readonly wide: boolean
  /** Puts the kind before the name, where several kinds are listed. */
  readonly named: boolean
  readonly nowMs: number
}

/** Resources of one kind as kubectl prints them, every line with its newline. */
export const table = (kind: Kind, resources: readonly Resource[], { wide, named, nowMs }: TableOptions): string => {
  const columns = kind.columns.filter(({ priority }) => wide || priority === undefined)
  const heads = ['NAMESPACE', 'NAME', ...columns.map(({ name }) => name.toUpperCase())]
  const rows = resources.map((resource) => {
    const { namespace, name } = resource.metadata
    const shown = named ? `${kind.singular}.waybill.dev/${name}` : name
    return [namespace, shown, ...columns.map((column) => cell(column, resource, nowMs))]
  })
  return aligned([heads, ...rows])
}

const cell = ({ type, jsonPath }: Column, resource: Resource, nowMs: number): string => {
  const [value]: unknown[] = JSONPath({ path: `$${jsonPath}`, json: resource, eval: 'safe' })
  if (value === undefined || value === null) return ''
  return type === 'date' ? age((nowMs - Date.parse(String(value))) / 1000) : String(value)
}

/** Rows of cells as lines of columns, every line with its newline. */
export const aligned = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_head, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const lines = rows.map((row) => row.map((text, index) => text.padEnd(widths[index] ?? 0)).join('   '))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}
