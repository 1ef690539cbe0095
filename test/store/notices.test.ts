import { type Condition, type ConditionType, type Reason, stamp, verdict } from '../../src/api/conditions.ts'
import { noticesOf } from '../../src/store/notices.ts'

const now = new Date(0)
type Told = { [T in ConditionType]?: readonly [Condition['status'], Reason<T>] }
const conditions = (told: Told): Condition[] =>
  stamp(
    Object.entries(told).map(([type, [status, reason]]) =>
      verdict(type as ConditionType, status, reason as Reason<ConditionType>, `${type} ${reason}`),
    ),
    undefined,
    1,
    now,
  )
const fine: Told = {
  ...{ Accepted: ['True', 'Accepted'], ResolvedRefs: ['True', 'ResolvedRefs'], Connected: ['True', 'Connected'] },
  ...{ Programmed: ['True', 'Programmed'], Ready: ['True', 'Ready'] },
}
const away: Told = {
  ...fine,
  Connected: ['False', 'BrokerUnreachable'],
  Programmed: ['False', 'BrokerUnreachable'],
  Ready: ['False', 'NotProgrammed'],
}

test.each<{ what: string; before: Told; after: Told; told: string[] }>([
  { what: 'ready for the first time', before: {}, after: fine, told: ['Normal Ready'] },
  { what: 'no change', before: fine, after: fine, told: [] },
  { what: 'not ready', before: fine, after: away, told: ['Warning BrokerUnreachable'] },
  {
    what: 'not ready for another cause',
    before: away,
    after: { ...away, Connected: ['False', 'CredentialsRefused'] },
    told: ['Warning CredentialsRefused'],
  },
  { what: 'ready again', before: away, after: fine, told: ['Normal Ready'] },
  {
    what: 'a problem appeared',
    before: fine,
    after: { ...fine, PolicyShadowed: ['True', 'PolicyShadowed'] },
    told: ['Warning PolicyShadowed'],
  },
  {
    what: 'a problem cleared',
    before: { ...fine, PolicyShadowed: ['True', 'PolicyShadowed'] },
    after: fine,
    told: ['Normal NoPolicyShadowed'],
  },
  {
    what: 'suspended, as was asked',
    before: fine,
    after: { ...fine, Ready: ['True', 'Suspended'], Suspended: ['True', 'Suspended'] },
    told: ['Normal Suspended', 'Normal Suspended'],
  },
  {
    what: 'stopped, which nobody asked for',
    before: fine,
    after: { ...fine, Ready: ['False', 'Gone'], Suspended: ['True', 'Gone'] },
    told: ['Warning Gone', 'Warning Gone'],
  },
  { what: 'not delivered yet', before: {}, after: { ...fine, Ready: ['False', 'NotDelivering'] }, told: [] },
  {
    what: 'not delivered any more',
    before: fine,
    after: { ...fine, Ready: ['False', 'NotDelivering'] },
    told: ['Warning NotDelivering'],
  },
])('a change of conditions leads to the expected notices: $what', ({ before, after, told }) => {
  const notices = noticesOf(conditions(before), conditions(after))
  expect(notices.map(({ type, reason }) => `${type} ${reason}`)).toEqual(told)
})
