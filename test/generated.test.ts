import { stale } from '../src/cli/generate.ts'

test('crds/, the CRDs of the chart and the resources in its roles are what npm run generate writes', async () => {
  expect(await stale()).toEqual([])
})
