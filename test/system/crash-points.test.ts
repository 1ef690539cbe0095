import { subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'

/**
 * Waybill is killed at one point of a delivery. The proxy fixes the point: from then on it forwards nothing to the
 * broker, or nothing from it, so that no later step can happen.
 */
test.each([
  {
    point: 'between the answer and the acknowledgement',
    silence: 'target' as const,
    answer: 200,
    attempts: ['1', '1'],
    letters: 0,
  },
  {
    point: 'before the copy for a retry reaches the broker',
    silence: 'target' as const,
    answer: 503,
    attempts: ['1', '1'],
    letters: 0,
  },
  {
    point: 'between the copy for a retry and its confirm',
    silence: 'client' as const,
    answer: 503,
    attempts: ['1', '1', '2'],
    letters: 0,
  },
  {
    point: 'between the dead letter and its confirm',
    silence: 'client' as const,
    answer: 400,
    attempts: ['1', '1'],
    letters: 1,
  },
])(
  'no message is lost when Waybill is killed $point, and repeated deliveries have the same webhook-id',
  async ({ silence, answer, attempts, letters }) => {
    await using shop = await openShop()
    const subscriber = await shop.subscriber()
    const delivery = { retry: { schedule: ['500ms'], maxAttempts: 5 } }
    shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url, { delivery })])
    const doomed = await shop.run()
    await shop.ready(doomed, 'billing')

    if (silence === 'client') {
      // A first message opens the channel for copies, which could not be opened during the silence.
      subscriber.answer((one) => (subscriber.received.indexOf(one) === 0 ? answer : 200))
      await shop.publish([{ order: 0 }])
      if (answer === 503) await eventually(() => subscriber.received.length === 2)
      else await eventually(() => shop.producer.channel.get('waybill.dlq.shop.billing', { noAck: true }))
      subscriber.received.length = 0
    }
    subscriber.answer(() => {
      shop.proxy.goSilent(silence)
      return answer
    })
    const [id] = await shop.publish([{ order: 1 }])
    await eventually(() => subscriber.received[0]?.status === answer)
    if (silence === 'client') {
      // The broker has stored the copy, but its confirm has not reached Waybill.
      const copies = answer === 400 ? 'waybill.dlq.shop.billing' : 'waybill.delay.500ms'
      await eventually(async () => (await shop.producer.channel.checkQueue(copies)).messageCount === 1, { everyMs: 1 })
    }
    await doomed.kill('SIGKILL')
    subscriber.answer(200)
    shop.proxy.cut()
    shop.proxy.recover()
    await shop.run()

    await eventually(() => subscriber.received.length === attempts.length)
    expect(subscriber.received.map(({ headers }) => headers['waybill-attempt']).toSorted()).toEqual(attempts)
    expect(new Set(subscriber.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(subscriber.received.map(({ headers }) => headers['ce-id'])).toEqual(attempts.map(() => id))
    await eventually(async () => {
      const left = await Promise.all(
        ['sub', 'dlq'].map((what) => shop.producer.channel.checkQueue(`waybill.${what}.shop.billing`)),
      )
      return left[0]?.messageCount === 0 && left[1]?.messageCount === letters
    })
  },
)
