import { decidingReady, isTrue, stamp, verdict, writtenBy } from '../../src/api/conditions.ts'

const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second))

test('the lastTransitionTime of a condition changes only with its status', () => {
  const first = stamp([verdict('Ready', 'False', 'NotResolved', 'Topic missing')], undefined, 1, at(1))
  expect(first).toEqual([
    {
      type: 'Ready',
      status: 'False',
      reason: 'NotResolved',
      message: 'Topic missing',
      observedGeneration: 1,
      lastTransitionTime: '2030-01-01T00:00:01Z',
    },
  ])
  const second = stamp([verdict('Ready', 'False', 'NotProgrammed', 'Queue missing')], first, 2, at(2))
  expect(second[0]).toMatchObject({
    reason: 'NotProgrammed',
    observedGeneration: 2,
    lastTransitionTime: '2030-01-01T00:00:01Z',
  })
  const third = stamp([verdict('Ready', 'True', 'Ready', '')], second, 2, at(3))
  expect(third[0]?.lastTransitionTime).toBe('2030-01-01T00:00:03Z')
  expect([
    isTrue(second, 'Ready'),
    isTrue(third, 'Ready'),
    isTrue(third, 'Accepted'),
    isTrue(undefined, 'Ready'),
  ]).toEqual([false, true, false, false])
})

test('a condition message that is cut stays valid text', () => {
  const [long] = stamp([verdict('Ready', 'False', 'NotResolved', `${'x'.repeat(2047)}🐰`)], undefined, 1, at(1))
  expect(long?.message).toBe(`${'x'.repeat(2047)}\ufffd`)
})

test('each process lists its own conditions, and those from which Ready follows in the order of cause', () => {
  const ofJobs = ['Progressing', 'Complete', 'Failed', 'Reconciling']
  expect([...writtenBy('dispatcher')]).toEqual([
    ...['Delivering', 'Suspended', 'RetryBlocked', 'QueueUnreadable'],
    ...ofJobs,
  ])
  expect([...writtenBy('dispatcher', 'both')]).toEqual([
    'Delivering',
    'Suspended',
    'Ready',
    'RetryBlocked',
    'QueueUnreadable',
    ...ofJobs,
  ])
  expect([...decidingReady('operator')]).toEqual(['Accepted', 'ResolvedRefs', 'Connected', 'Programmed'])
  expect([...decidingReady('dispatcher')]).toEqual(['Delivering', 'Suspended'])
})
