import { historyOf } from '../../src/delivery/message/history.ts'
import { pointOf, traceFields } from '../../src/delivery/message/trace-context.ts'
import { eventHeaders, messageOf } from './samples.ts'

const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
const traceparent = `00-${traceId}-${spanId}-01`

test.each([traceparent, `01-${traceId}-${spanId}-01-more`])('%s names a point in a trace', (text) => {
  expect(pointOf(text)).toEqual({ traceId, spanId, flags: 1 })
})

test.each([
  undefined,
  '',
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  traceparent.toUpperCase(),
  ` ${traceparent}`,
])('%s names none', (text) => {
  expect(pointOf(text)).toBeUndefined()
})

test('a log line has what the attempt is traced as, else what the message says, else nothing', () => {
  const { headers } = messageOf({ headers: eventHeaders('cloudEvents:', { traceparent }) }).properties
  expect(traceFields(`00-${traceId}-1111111111111111-01`, headers)).toEqual({ traceId, spanId: '1111111111111111' })
  expect(traceFields(undefined, headers)).toEqual({ traceId, spanId })
  expect(traceFields('forged', undefined)).toEqual({})
})

test('the attempt before is believed on what comes back from a delay, and on nothing else', () => {
  const whence = { returnExchange: 'back', countsDeliveries: true, timeToLiveMs: undefined }
  const traceOf = (exchange: string) => {
    const message = messageOf({ headers: { 'waybill-trace': traceparent } })
    return historyOf({ ...message, fields: { ...message.fields, exchange } }, whence).trace
  }
  expect(traceOf('back')).toBe(traceparent)
  expect(traceOf('orders')).toBeUndefined()
  expect(traceOf('')).toBeUndefined()
})
