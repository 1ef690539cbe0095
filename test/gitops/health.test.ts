import { kinds } from '../../src/api/kinds/kinds.ts'
import { argoHealth } from './argo.ts'
import { declaredRows } from './declared.ts'
import { jobRows } from './jobs.ts'
import { kstatus } from './kstatus.ts'

const rows = { ...declaredRows, ...jobRows }
const health = await argoHealth()

test('the table of statuses has twelve or more of each kind, and all that a DeadLetterPolicy can have', () => {
  const counts = kinds.map(({ kind }) => [kind, rows[kind]?.length ?? 0] as const)
  expect(counts.filter(([kind, count]) => count < 12 && kind !== 'DeadLetterPolicy')).toEqual([])
})

test.each(kinds.map(({ kind }) => kind))(
  'Argo CD and Flux each give the right answer for every status of a %s',
  async (kind) => {
    const expected = rows[kind]?.map(([what, argo, flux]) => [what, argo, flux])
    const found = await Promise.all(
      (rows[kind] ?? []).map(async ([what, , , resource]) => {
        const { status, message } = await health(resource)
        expect([what, message]).toEqual([what, expect.any(String)])
        return [what, status, kstatus(resource)]
      }),
    )
    expect(found).toEqual(expected)
  },
)
