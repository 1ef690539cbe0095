import { age } from '../../src/api/age.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

// The expectations are those of kubectl's own duration tests.
test.each([
  [-5, '0s'],
  [0, '0s'],
  [119, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 5, '2m5s'],
  [10 * minute + 5, '10m'],
  [3 * hour - 1, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 5 * minute, '3h5m'],
  [8 * hour, '8h'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [2 * day + 3 * hour, '2d3h'],
  [8 * day + 3 * hour, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [3 * 365 * day + 4 * day, '3y4d'],
  [9 * 365 * day + 4 * day, '9y'],
])('the age of %d s is shown as %s', (seconds, text) => expect(age(seconds)).toBe(text))
