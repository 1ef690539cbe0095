import { kinds } from '../../src/api/kinds/kinds.ts'
import { subscriptionOf, topicOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'

const canary = 'canary-9d41e7'

test('a password appears in no log, status, metric, response, notice or dead letter, whatever fails', async () => {
  await using shop = await openShop()
  const { vhost, folder, producer, proxy } = shop
  const user = `${vhost.name}-user`
  await vhost.manage('PUT', `/users/${user}`, { password: canary, tags: 'administrator' })
  const all = { configure: '.*', write: '.*', read: '.*' }
  await vhost.manage('PUT', `/permissions/${encodeURIComponent(vhost.name)}/${user}`, all)
  const secretOf = (password: string, more: object = {}) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'rabbitmq', namespace: 'shop' } },
    stringData: {
      connection_string: `amqp://${user}:${password}@127.0.0.1:${proxy.port}/`,
      management_uri: vhost.managementUrl,
      ...more,
    },
  })
  const write = (secret: object) => folder.write('broker', [secret, ...shop.broker.slice(1), topicOf('orders')])
  const subscriber = await shop.subscriber()
  subscriber.answer(400)
  write(secretOf(canary))
  folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url)])
  const waybill = await shop.run({ args: ['--log-level', 'debug'] })
  await shop.ready(waybill, 'billing')

  const seen: string[] = []
  const look = async () => {
    const paths = ['/metrics', '/readyz', ...kinds.map(({ plural }) => `/apis/waybill.dev/v1alpha1/${plural}`)]
    for (const path of paths) seen.push(await (await fetch(waybill.server + path)).text())
  }
  await shop.publish([{ order: 1 }])
  const [letter] = await eventually(async () => {
    const letters = await producer.look('waybill.dlq.shop.billing')
    return letters.length > 0 && letters
  })
  seen.push(JSON.stringify([letter, letter!.content.toString()]), JSON.stringify(subscriber.received))
  await look()
  const said = (text: string) => eventually(() => waybill.logs().includes(text))

  // Every misconfiguration that involves the password.
  proxy.cut()
  await said('Lost the connection to the broker')
  for (const [secret, text] of [
    [secretOf(`${canary}-wrong`), 'refused the user'],
    [secretOf(canary, { management_uri: `http://u:${canary}@127.0.0.1:1` }), ''],
    [secretOf(canary, { connection_string: `amqp:/${canary}` }), ''],
    [secretOf(canary, { port: canary }), ''],
    [{ ...secretOf(''), stringData: undefined, data: { connection_string: `!${canary}!` } }, 'broker.yaml:'],
  ] as const) {
    write(secret)
    await eventually(async () => {
      await look()
      return seen.at(-kinds.length)?.includes('"status":"False"')
    })
    if (text) await said(text)
  }
  folder.write('broken', `kind: Secret\nstringData:\n  password: "${canary}\n`)
  await said('broken.yaml:')
  folder.write('user', [subscriptionOf('user', 'orders', `http://user:${canary}@127.0.0.1/`)])
  await said('user.yaml:')
  write(secretOf(canary))
  await shop.ready(waybill, 'billing').catch(() => undefined)
  await look()
  await waybill.kill()
  seen.push(waybill.logs())
  for (const text of seen) expect(text.split('\n').filter((line) => line.includes(canary))).toEqual([])
  await vhost.manage('DELETE', `/users/${user}`)
})
