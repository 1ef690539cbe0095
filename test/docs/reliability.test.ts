import { existsSync } from 'node:fs'
import { textOf } from './pages.ts'

const page = textOf('docs/reliability.md')

test('every test that docs/reliability.md names is in the file that it links to', () => {
  const named = [...page.matchAll(/\[([^\]]+)\]\(\.\.\/((?:test|e2e)\/[^)]+)\)/g)]
  expect(named.length).toBeGreaterThan(80)
  const missing = named.filter(([, name = '', file = '']) => !existsSync(file) || !textOf(file).includes(name))
  expect(missing.map(([link]) => link)).toEqual([])
})

test('docs/reliability.md has a row for every fault, which is shown by a test or says what is not tried', () => {
  const numbers = ['D', 'O'].flatMap((kind) =>
    Array.from({ length: 34 }, (_, index) => `${kind}-${String(index + 1).padStart(2, '0')}`),
  )
  const rows = page.split('\n')
  const rowsOf = (number: string) => rows.filter((row) => row.startsWith(`| ${number} |`))
  expect(numbers.filter((number) => rowsOf(number).length !== 1)).toEqual([])
  const isShown = (row = '') => /\]\(\.\.\/(test|e2e)\//.test(row) || row.includes('**Not tried**')
  expect(numbers.filter((number) => !isShown(rowsOf(number)[0]))).toEqual([])
})
