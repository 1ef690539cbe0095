import type { Kind } from '../../src/api/resource.ts'
import { livingIn } from '../../src/operator/topology/living.ts'

const asked: string[] = []
const store = {
  mayExist({ kind }: Kind, namespace: string, name: string): boolean {
    asked.push(`${kind} ${namespace} ${name}`)
    return name === 'billing'
  },
}

test.each([
  ['waybill:Subscription/shop/billing', true, ['Subscription shop billing']],
  ['waybill:Queue/shop/work', false, ['Queue shop work']],
  // A later version may have declared it.
  ['waybill:Stream/shop/work', true, []],
])('the owner %s counts as living: %s', (owner, isLiving, questions) => {
  asked.length = 0
  expect([livingIn(store, 'waybill')(owner), asked]).toEqual([isLiving, questions])
})
