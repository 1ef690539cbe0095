import { stale } from '../src/cli/generate.ts'

test('crds/ is what npm run generate writes', async () => {
  expect(await stale()).toEqual([])
})
