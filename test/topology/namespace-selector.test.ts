import { isSelected, type NamespaceSelector } from '../../src/topology/namespace-selector.ts'

const labels = { team: 'orders', tier: 'gold', 'kubernetes.io/metadata.name': 'shop' }
const one = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', ...values: string[]) => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }],
})

test.each<[string, NamespaceSelector, boolean]>([
  ['a label with the value', { matchLabels: { team: 'orders' } }, true],
  ['a label with another value', { matchLabels: { team: 'mail' } }, false],
  ['a label that is not there', { matchLabels: { area: 'eu' } }, false],
  ['what every object has by birth', { matchLabels: { constructor: 'x' } }, false],
  ['all labels', { matchLabels: { team: 'orders', tier: 'gold' } }, true],
  ['one of two labels', { matchLabels: { team: 'orders', tier: 'silver' } }, false],
  ['the name', { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } }, true],
  ['In with the value', one('tier', 'In', 'silver', 'gold'), true],
  ['In without the value', one('tier', 'In', 'silver'), false],
  ['In without the label', one('area', 'In', 'eu'), false],
  ['NotIn with the value', one('tier', 'NotIn', 'gold'), false],
  ['NotIn without the value', one('tier', 'NotIn', 'silver'), true],
  ['NotIn without the label', one('area', 'NotIn', 'eu'), true],
  ['Exists', one('tier', 'Exists'), true],
  ['Exists without the label', one('area', 'Exists'), false],
  ['DoesNotExist', one('tier', 'DoesNotExist'), false],
  ['DoesNotExist without the label', one('area', 'DoesNotExist'), true],
  ['labels and expressions', { matchLabels: { team: 'orders' }, ...one('tier', 'NotIn', 'gold') }, false],
])('%s', (_, selector, expected) => {
  expect(isSelected(selector, labels)).toBe(expected)
})
