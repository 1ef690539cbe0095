import { stale } from '../src/cli/generate.ts'

test('crds/ and the CRDs of the chart are what npm run generate writes', async () => {
  expect(await stale()).toEqual([])
})
