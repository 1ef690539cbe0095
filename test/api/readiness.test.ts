import { type Condition, stamp, type Verdict, verdict } from '../../src/api/conditions.ts'
import { readyOf } from '../../src/api/readiness.ts'

const declared = [
  verdict('Accepted', 'True', 'Accepted', ''),
  verdict('ResolvedRefs', 'True', 'ResolvedRefs', ''),
  verdict('Programmed', 'True', 'Programmed', ''),
]
const at = (generation: number, ...verdicts: Verdict[]): Condition[] =>
  stamp(verdicts, undefined, generation, new Date(0))

test.each([
  { said: verdict('Delivering', 'True', 'Delivering', ''), ready: ['True', 'Ready', 1] },
  { said: verdict('Delivering', 'False', 'Suspended', ''), ready: ['True', 'Suspended', 1] },
  { said: verdict('Delivering', 'False', 'Gone', ''), ready: ['False', 'Gone', undefined] },
  { said: verdict('Delivering', 'False', 'NoConsumer', ''), ready: ['False', 'NotDelivering', undefined] },
  { said: verdict('Delivering', 'Unknown', 'NoDispatcher', ''), ready: ['False', 'NotDelivering', undefined] },
])(
  'a Subscription is Ready as it was asked to be, in the generation that a dispatcher has taken up: $said.reason',
  ({ said, ready }) => {
    const found = readyOf([...at(2, ...declared), ...at(1, said)])?.ready
    expect([found?.status, found?.reason, found?.observedGeneration]).toEqual(ready)
  },
)

test('a Subscription that is suspended is not Ready before it is declared', () => {
  const pending = [...declared.slice(0, 2), verdict('Programmed', 'False', 'Pending', '')]
  const found = readyOf(at(1, ...pending, verdict('Delivering', 'False', 'Suspended', '')))?.ready
  expect([found?.status, found?.reason]).toEqual(['False', 'NotProgrammed'])
})
