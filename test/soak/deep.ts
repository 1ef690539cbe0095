import { mostHeld } from '../../src/rabbit/amqp/holding/hold.ts'
import { fill, numberOf } from './fill.ts'
import { drained, growth } from './ground.ts'
import { listOf, timed, untilGroups } from './look.ts'
import { atMost, endOf, figure, reasonOf, type Scenario, startReplay } from './scenario.ts'

const last = 10

/** A million dead letters: more than are ever held at a time. */
export const deep: Scenario = {
  about: 'more dead letters than are held at a time: groups, lists and a Replay of the last ten',
  letters: 1_000_000,
  resyncInterval: '10s',
  async run(ground, { letters }, say) {
    await ground.start()
    const idle = await ground.memory()
    say(`filling with ${letters}`)
    await fill(ground, letters, 256, (number) => (number >= letters - last ? 418 : 400))
    say('starting again: how long until the status has its groups?')
    const filled = await ground.memory()
    await ground.start()
    const before = { broker: filled.broker, waybill: idle.waybill }
    const { result: groupsS, ...grown } = await growth(ground, before, () =>
      untilGroups(ground, Math.min(letters, mostHeld)),
    )
    const { complete, scanned } = (await ground.status())?.deadLetters ?? {}
    say('listing 100')
    let listed = 0
    const listS = await timed(async () => {
      listed = await listOf(ground, 100)
    })
    say('replaying the last ten')
    let sent = 0
    ground.sinks.big.receive(() => {
      sent += 1
    })
    startReplay(ground, { selector: { statusCodes: ['418'] } })
    const { result: ended, ...byReplay } = await growth(ground, before, () => endOf(ground, say))
    await ground.waybill.stop()
    say('taking all of them out, in their order')
    let [moved, next] = [0, 0]
    const found = await drained(ground.vhost.amqpUrl, ground.dlq, letters - sent, (message) => {
      if (numberOf(message) !== next) moved += 1
      next = numberOf(message) + 1
    })
    const isDeep = reasonOf(ended).includes('SelectionTooDeep')
    return [
      figure(
        'groups in the status',
        `complete: ${complete}, scanned ${scanned}, after ${groupsS.toFixed(1)} s`,
        'complete: false, or right',
        complete === letters <= mostHeld,
      ),
      atMost('the broker grew by', grown.broker, 500, 'MiB'),
      atMost('Waybill grew by', grown.waybill, 500, 'MiB'),
      atMost('dead-letters ls --limit 100 took', listS, 3, 's'),
      figure('  and listed', listed, '100', listed === 100),
      figure('the Replay', reasonOf(ended), 'delivers ten, or SelectionTooDeep', isDeep ? sent === 0 : sent === last),
      figure(
        '  while the broker and Waybill grew by',
        `${byReplay.broker.toFixed(0)} and ${byReplay.waybill.toFixed(0)} MiB`,
        '',
        true,
      ),
      figure('letters afterwards', found, String(letters - sent), found === letters - sent),
      figure('letters out of their order', moved, '0', moved === 0),
    ]
  },
}
