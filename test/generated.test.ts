import { stale } from '../src/cli/generate.ts'

test('crds/, the CRDs of the chart, the resources in its roles and the health of them for Argo CD are what npm run generate writes', async () => {
  expect(await stale()).toEqual([])
})
