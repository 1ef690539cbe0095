import { addressGuard } from '../../../src/http/address-guard.ts'
import { createSender } from '../../../src/http/send.ts'
import { authorityOf, httpsWays, openHttps } from './https.ts'

const request = { method: 'POST', path: '/', headers: [] as string[], body: Buffer.from('hello') } as const

test.each(httpsWays)('a subscriber whose https is %s', async (way) => {
  await using cleanUp = new AsyncDisposableStack()
  let received = 0
  const opened = await openHttps(way, (_, response) => {
    received += 1
    response.writeHead(204).end()
  })
  cleanUp.defer(opened.close)
  const ca = authorityOf(way)
  const sender = cleanUp.adopt(
    createSender(
      { origin: new URL(opened.url).origin, path: '/', contentMode: 'Binary', headers: [] },
      {
        ...{ timeoutMs: 1_000, concurrency: 1, guard: addressGuard({ loopback: true }) },
        ...(ca === undefined ? {} : { credentials: { tls: { ca } } }),
      },
    ),
    (one) => one.abandon(),
  )
  const outcome = await sender.send(request)
  expect({ kind: outcome.kind, received }).toEqual(
    way === 'right' ? { kind: 'delivered', received: 1 } : { kind: 'failed', received: 0 },
  )
})
