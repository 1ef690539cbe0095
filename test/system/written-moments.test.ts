import { dyingAt, keepRunning } from '../support/keep-running.ts'
import { subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill, type Waybill } from '../support/waybill.ts'

/** Waybill is killed at a moment of its first message, which the subscriber answers with `answer`. */
const killedAt = async (moment: string, answer: number) => {
  await using cleanUp = new AsyncDisposableStack()
  const shop = cleanUp.use(await openShop())
  const subscriber = await shop.subscriber()
  subscriber.answer(answer)
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url)])
  const kept = await keepRunning<Waybill>((env) => runWaybill(shop.folder.path, { env }), dyingAt(moment))
  cleanUp.defer(() => kept.end())
  await shop.ready(kept.current, 'billing')
  await shop.publish(['first'])
  await eventually(() => kept.deaths === 1, { timeoutMs: 60_000 })
  const timesOf = (body: string) => subscriber.received.filter((one) => one.body.toString() === body).length
  // A message that came back is ahead of this one, and a process that stops ends what it has begun.
  await shop.publish(['second'])
  await eventually(() => timesOf('second') > 0, { timeoutMs: 60_000 })
  await kept.restart()
  // Read, not counted: RabbitMQ 3 may say 0 of a queue that holds messages.
  const letters = await shop.producer.look('waybill.dlq.shop.billing')
  return { first: timesOf('first'), letters: letters.map(({ content }) => content.toString()).toSorted() }
}

test.each([
  { moment: 'message-acknowledged:before', answer: 204, left: { first: 2, letters: [] } },
  { moment: 'message-acknowledged:after', answer: 204, left: { first: 1, letters: [] } },
  { moment: 'copy-published:before', answer: 422, left: { first: 2, letters: ['first', 'second'] } },
  { moment: 'copy-published:after', answer: 422, left: { first: 2, letters: ['first', 'first', 'second'] } },
])('the broker has what was written, and only that, when Waybill is killed at $moment', async (one) => {
  expect(await killedAt(one.moment, one.answer)).toEqual(one.left)
})
