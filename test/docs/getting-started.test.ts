import { eventually } from '../support/wait.ts'
import { blocksOf, textOf } from './pages.ts'
import { beginWalk } from './walk.ts'

/** The scripts below a heading of a page, in order. */
const scriptsBelow = (path: string, heading: string): string[] =>
  blocksOf(textOf(path))
    .filter((block) => block.heading === heading && block.language === 'sh')
    .map(({ text }) => text.trimEnd())

const only = (path: string, heading: string): string => {
  const [script, ...more] = scriptsBelow(path, heading)
  if (script === undefined || more.length > 0)
    throw new Error(`${path}: ${heading} has ${more.length} scripts too many`)
  return script
}

const isReady = /subscription\.waybill\.dev\/mailing +True +True/

test('the first event is received after the commands of README.md', async () => {
  await using walk = await beginWalk()
  const [terminals = '', publish = ''] = scriptsBelow('README.md', 'Receive your first event on a laptop')
  const [subscriber = '', waybill = '', ...more] = terminals.split('\n')
  expect(more).toEqual([])
  const received = walk.start(subscriber)
  walk.start(waybill)
  const [get = '', ...curl] = publish.split('\n')
  await walk.runUntil(get, isReady)
  expect(await walk.run(curl.join('\n'))).toMatch(/"routed":true/)
  await eventually(
    () => /^POST \/orders$/m.test(received.output()) && /^ce-type: order\.placed$/m.test(received.output()),
  )
})

test('the commands of docs/getting-started.md work on a laptop as described', async () => {
  await using walk = await beginWalk()
  const path = 'docs/getting-started.md'
  const mailing = walk.start(only(path, 'A subscriber'))
  const waybill = walk.start(only(path, 'Waybill'))

  const [get = '', publish = ''] = scriptsBelow(path, 'The first event')
  await walk.runUntil(get, isReady)
  await walk.run(publish)
  await eventually(() => mailing.output().includes('{"order": 42}'))
  const printed = blocksOf(textOf(path)).find(({ text }) => text.startsWith('POST /orders'))
  const names = (text: string) => text.split('\n').flatMap((line) => /^([a-z-]+): /.exec(line)?.[1] ?? [])
  expect(names(mailing.output())).toEqual(names(printed?.text ?? ''))

  const [publishDown = '', again = ''] = scriptsBelow(path, 'A subscriber that is down')
  await mailing.interrupt()
  await walk.run(publishDown)
  const [look = ''] = publishDown.split('\n').slice(-1)
  await walk.runUntil(look, /reason: AllAttemptsFailing\n +message: .*The connection was refused/)
  const back = walk.start(again)
  await eventually(() => back.output().includes('{"order": 43}'), { timeoutMs: 150_000 })
  // Interrupted before its answer has arrived, it would receive the event again.
  await walk.runUntil(get, isReady)

  const [rejecting = '', publishRejected = '', lookInto = ''] = scriptsBelow(path, 'A subscriber that rejects')
  await back.interrupt()
  const strict = walk.start(rejecting)
  await eventually(() => strict.output().includes('Answering 422'))
  await walk.run(publishRejected)
  await walk.runUntil(get, /subscription\.waybill\.dev\/mailing +True +\w+ +0 +1 /)
  expect(await walk.run(lookInto)).toMatch(/Rejected/)
  expect(strict.output()).toContain('{"order": 44}')

  const [lint = ''] = scriptsBelow(path, 'Your own manifests')
  expect(await walk.run(lint)).toBe('4 manifests in 1 file: no problems\n')

  await waybill.interrupt()
  expect(waybill.output()).toMatch(/"message":"Stopped"\}\n$/)
}, 240_000)
