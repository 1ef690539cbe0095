import { filterOf } from '../../../src/delivery/letters/filter.ts'

const limits = { usual: 500, most: 10_000 }
const of = (query: string) => filterOf(new URLSearchParams(query), limits)

test.each([
  ['', { all: true }, 500],
  ['limit=7', { all: true }, 7],
  ['group=abcdefgh23', { groups: ['abcdefgh23'] }, 500],
  ['reason=Exhausted&reason=Gone', { reasons: ['Exhausted', 'Gone'] }, 500],
  ['status=503&status=4xx', { statusCodes: ['503', '4xx'] }, 500],
  ['type=order.placed&id=abcdefgh234567ab', { types: ['order.placed'], ids: ['abcdefgh234567ab'] }, 500],
  [
    'since=2026-01-31T08:00:00Z&until=2026-01-31T09:00:00%2B01:00&limit=10000',
    { deadLettered: { notBefore: '2026-01-31T08:00:00Z', notAfter: '2026-01-31T09:00:00+01:00' } },
    10_000,
  ],
  ['header=x-tenant=a=b&header=x-shop=', { headers: { 'x-tenant': 'a=b', 'x-shop': '' } }, 500],
])('the query %j is a filter', (query, selector, limit) => {
  expect(of(query)).toEqual({ selector: { all: false, ...selector }, limit })
})

test.each([
  ['colour=red', 'unknown parameter "colour"'],
  ['Group=abcdefgh23', 'unknown parameter "Group"'],
  ['status=503&statuses=504', 'unknown parameter "statuses"'],
  ['group=', 'group must be'],
  ['group=ABCDEFGHIJ', 'group must be'],
  ['id=abc', 'id must be'],
  ['reason=', 'reason must have'],
  ['type=', 'type must have'],
  ['status=5', 'status must be'],
  ['status=5xy', 'status must be'],
  ['status=0xx', 'status must be'],
  ['since=2h', 'since must be a time'],
  ['since=2026-02-31', 'since must be a time'],
  ['since=2026-01-99T00:00:00Z', 'since must be a time'],
  ['until=', 'until must be a time'],
  ['until=2026-01-31T08:00:00Z&until=2026-01-31T08:00:00Z', 'until may be given once'],
  ['limit=1&limit=2', 'limit may be given once'],
  ['limit=0', 'limit must be a number from 1 to 10000'],
  ['limit=10001', 'limit must be'],
  ['limit=1e3', 'limit must be'],
  ['limit=-1', 'limit must be'],
  ['header=x-tenant', 'header must be NAME=VALUE'],
  ['header=%3Dx', 'header must be NAME=VALUE'],
  ['header=a=1&header=a=2', 'header "a" may be given once'],
  ['header=Authorization=Bearer+x', 'header "Authorization" is not shown, nor compared'],
  [
    new URLSearchParams(Array.from({ length: 1_001 }, (): [string, string] => ['reason', 'a'])).toString(),
    'may be given 1000 times',
  ],
])('the query %j is refused, and does not select everything', (query, problem) => {
  expect(of(query)).toEqual({ problem: expect.stringContaining(problem) })
})
