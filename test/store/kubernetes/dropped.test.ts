import { createDropped } from '../../../src/store/kubernetes/unwatched/dropped.ts'

const rememberedOf = (before: string | undefined, watched: readonly string[] | undefined, ...release: string[]) => {
  const dropped = createDropped(() => watched)
  const first = dropped.annotation(before)
  for (const namespace of release) dropped.release(namespace)
  return { first, pending: dropped.pending(), later: release.length > 0 ? dropped.annotation(first) : first }
}

describe('the namespaces that were watched', () => {
  test.each([
    ['there is no Lease', undefined, ['a'], 'a', []],
    ['it is the same list', 'a,b', ['b', 'a'], 'a,b', []],
    ['one is new', 'a', ['a', 'b'], 'a,b', []],
    ['one is taken out', 'a,b', ['a'], 'a,b', ['b']],
    ['all were watched', '*', ['a'], '*,a', ['*']],
    ['all are watched', 'a,b', undefined, '*', []],
    ['nothing is selected', 'a', [], 'a', ['a']],
    ['there never was one', '', [], '', []],
  ])('when %s', (_when, before, watched, annotation, pending) => {
    expect(rememberedOf(before, watched)).toEqual({ first: annotation, pending, later: annotation })
  })

  test('one that was released is not remembered any more', () => {
    expect(rememberedOf('a,b,c', ['a'], 'b')).toEqual({ first: 'a,b,c', pending: ['c'], later: 'a,c' })
  })

  test('one that is watched again is not released', () => {
    let watched = ['a']
    const dropped = createDropped(() => watched)
    dropped.annotation('a,b')
    watched = ['a', 'b']
    expect(dropped.annotation('a,b')).toBe('a,b')
    expect(dropped.pending()).toEqual([])
  })

  test('one that was watched between two writes of the Lease is released', () => {
    let watched = ['a']
    const dropped = createDropped(() => watched)
    dropped.annotation('a')
    watched = ['a', 'b']
    for (const namespace of ['a', 'b', 'elsewhere']) dropped.changed(namespace)
    watched = ['a']
    expect([dropped.annotation('a'), dropped.pending()]).toEqual(['a,b', ['b']])
    dropped.release('b')
    expect([dropped.annotation('a,b'), dropped.annotation('a'), dropped.pending()]).toEqual(['a', 'a', []])
  })

  test('an object may not have more annotations than that: then nothing is remembered', () => {
    const many = Array.from({ length: 10_000 }, (_, each) => `a-namespace-with-a-long-name-${each}`)
    expect(rememberedOf(undefined, many).first).toBeUndefined()
  })
})
