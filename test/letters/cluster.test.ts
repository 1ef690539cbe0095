import { request } from 'node:https'
import { join } from 'node:path'
import { group } from '../../src/api/resource.ts'
import { waybill, waybillIn } from '../cli/waybill.ts'
import { browserAt } from '../console/browser.ts'
import { cert } from '../http/self-signed.ts'
import { describeWithHelm } from '../support/api-server.ts'
import type { ClusterShop } from '../support/cluster-shop.ts'
import type { Rule } from '../support/kubernetes/account.ts'
import type { Subscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Command } from '../support/waybill.ts'
import { startClusterConsole } from './cluster-console.ts'
import { openClusterLetters } from './cluster-letters.ts'

const canary = 'canary-6b1f'
const rule = (subresource: string, ...verbs: string[]): Rule => ({
  apiGroups: [group],
  resources: [`subscriptions/${subresource}`],
  verbs,
})

type Answer = { readonly status: number | undefined; readonly text: string }

describeWithHelm('the data port of the dispatcher on Kubernetes', () => {
  const cleanUp = new AsyncDisposableStack()
  let shop: ClusterShop
  let dispatcher: Command
  let subscriber: Subscriber
  let folder: string
  let data: string
  afterAll(() => cleanUp.disposeAsync())

  beforeAll(async () => {
    const options = { headers: { authorization: `Bearer ${canary}-header`, 'x-shop': `${canary}-plain` } }
    const opened = await openClusterLetters(
      {
        messages: [
          { routingKey: 'a', body: `{"secret":"${canary}-body"}`, options },
          { routingKey: 'a', body: '{"order":2}' },
        ],
        args: ['--log-level', 'debug'],
      },
      cleanUp,
    )
    ;({ shop, subscriber, dispatcher, folder } = opened)
    data = await eventually(() => /"dataPort":"(https:[^"]+)"/.exec(dispatcher.logs())?.[1])
  }, 120_000)

  const ask = (path: string, token?: string, body?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const to = new URL(`/namespaces/${shop.own.name}/subscriptions/billing/deadletters${path}`, data)
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      request(to, { ca: cert, headers, method: body === undefined ? 'GET' : 'POST' }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode, text }))
      })
        .on('error', reject)
        .end(body)
    })

  const tokenFor = async (name: string, rules: readonly Rule[], audience = 'waybill'): Promise<string> => {
    await shop.own.account(name, rules)
    return (await shop.own.kubectl(['create', 'token', name, '--audience', audience])).trim()
  }

  test('who may view sees letters without bodies, and no more; who may read bodies sees those', async () => {
    const viewer = await tokenFor('viewer', [rule('deadletters', 'get', 'list')])
    const list = await ask('', viewer)
    expect(list.status).toBe(200)
    expect(list.text).not.toContain(`${canary}-header`)
    expect(list.text).not.toContain(`${canary}-body`)
    expect(list.text).toContain(`${canary}-plain`)
    const { letters } = JSON.parse(list.text) as { letters: { id: string; size: number }[] }
    const id = letters.find(({ size }) => size > 12)?.id ?? ''
    const one = await ask(`/${id}`, viewer)
    expect([one.status, one.text.includes(canary)]).toEqual([200, true])
    const body = await ask(`/${id}/body`, viewer)
    expect([body.status, body.text]).toEqual([
      403,
      expect.stringContaining(`viewer may not get subscriptions.${group}/deadletterbodies of billing in the namespace`),
    ])
    for (const history of ['/../history', '/../../../history']) {
      const { status, text } = await ask(history, viewer)
      expect([status, JSON.parse(text).subscriptions[0]]).toMatchObject([200, { name: 'billing' }])
      expect((await ask(history, await tokenFor('stranger', []))).status).toBe(403)
    }
    const reader = await tokenFor('reader', [rule('deadletterbodies', 'get')])
    expect(await ask(`/${id}/body`, reader)).toEqual({ status: 200, text: `{"secret":"${canary}-body"}` })
    expect((await ask('', reader)).status).toBe(403)
  }, 60_000)

  test('without a token, with one for another audience, and with one that is none, nothing is answered', async () => {
    const other = await tokenFor('other', [rule('deadletters', 'get', 'list')], 'https://elsewhere')
    const { token: forServer } = await shop.own.account('other', [rule('deadletters', 'get', 'list')])
    for (const token of [undefined, other, forServer, `${canary}-token`]) {
      const { status, text } = await ask('', token)
      expect([status, text]).toEqual([401, expect.stringContaining('--audience waybill')])
    }
  }, 60_000)

  test('a right that is taken away is refused within ten seconds, and one that is given works at once', async () => {
    const token = await tokenFor('leaver', [])
    expect((await ask('', token)).status).toBe(403)
    await shop.own.account('leaver', [rule('deadletters', 'list')])
    await eventually(async () => (await ask('', token)).status === 200, { timeoutMs: 5_000 })
    await shop.own.kubectl(['delete', 'rolebinding', 'leaver'])
    const takenMs = performance.now()
    await eventually(async () => (await ask('', token)).status === 403, { everyMs: 200 })
    expect(performance.now() - takenMs).toBeLessThan(13_000)
  }, 60_000)

  test('the role for administrators exports and imports, which no other role does', async () => {
    const viewer = await tokenFor('viewer', [rule('deadletters', 'get', 'list')])
    expect([(await ask('/export', viewer)).status, (await ask('/import', viewer, '')).status]).toEqual([403, 403])
    const admin = await tokenFor('admin', [])
    const role = `--clusterrole=${shop.own.name}-waybill-dead-letters-admin`
    await shop.own.kubectl(['create', 'rolebinding', 'admin', role, `--serviceaccount=${shop.own.name}:admin`])
    const exported = await eventually(async () => {
      const answer = await ask('/export', admin)
      return answer.status === 200 && answer
    })
    expect(exported.text).toContain(`Bearer ${canary}-header`)
    const imported = await ask('/import', admin, exported.text)
    expect([imported.status, JSON.parse(imported.text)]).toEqual([200, { imported: 0, skipped: 2 }])
    const malformed = await ask('/import', admin, `{"body":"${canary}-line"`)
    expect([malformed.status, malformed.text.includes(canary)]).toEqual([400, false])
  }, 60_000)

  test('the command does the same over HTTPS, and exits with 3 where it is not permitted', async () => {
    const token = await tokenFor('viewer', [rule('deadletters', 'get', 'list')])
    const run = (...args: string[]) => {
      const env = { WAYBILL_TOKEN: token, NODE_EXTRA_CA_CERTS: join(folder, 'tls.crt') }
      return waybillIn(env, 'dl', ...args, '-n', shop.own.name, '--server', data)
    }
    const { code, out } = await run('ls', 'billing', '--by', 'none', '-o', 'jsonl')
    expect([code, out.trimEnd().split('\n').length]).toEqual([0, 2])
    const { id } = JSON.parse(out.split('\n')[0] ?? '') as { id: string }
    const shown = await run('show', 'billing', id, '--body')
    expect([shown.code, shown.err]).toEqual([3, expect.stringMatching(/^Error: not permitted: .*deadletterbodies/)])
  }, 60_000)

  test('in the console each user does with their own token what they may, and nothing more', async () => {
    const { command, as } = await startClusterConsole(shop, data, join(folder, 'tls.crt'))
    cleanUp.defer(() => command.stop())
    const own = (verbs: readonly string[], ...resources: string[]): Rule => ({ apiGroups: [group], resources, verbs })
    const seeing = [own(['get', 'list'], 'subscriptions', 'brokers', 'replays', 'discards')]
    const path = `/console/subscriptions/${shop.own.name}/billing`

    const looker = await as('looker', [...seeing, rule('deadletters', 'get', 'list')])
    expect(await looker.open(`/console?namespace=${shop.own.name}`)).toContain('>billing<')
    expect(await looker.open('/console')).toContain('Which one?')
    const list = await looker.open(`${path}/deadletters`)
    expect(list).toContain('1 to 2')
    await expect(looker.send('Replay all matching', {})).rejects.toThrow('is disabled')
    expect(await looker.sendAnyway('Replay all matching')).toMatch(
      /Not permitted(.|\n)*cannot create resource .*replays/,
    )
    const [, id = ''] = /deadletters\/([a-z2-7]{16})"/.exec(list) ?? []
    expect(await looker.open(`${path}/deadletters/${id}`)).toContain('subscriptions/deadletterbodies')
    expect(looker.page()).not.toContain(`${canary}-header`)
    expect(await looker.post(`${path}/deadletters/${id}/body`)).toMatch(/looker may not get .*deadletterbodies/)
    expect(await looker.post(`${path}/deadletters/${id}/headers`)).toMatch(/looker may not get .*deadletterbodies/)
    expect(looker.page()).not.toContain(canary)
    const permissions = await looker.open(`/console/permissions?namespace=${shop.own.name}`)
    expect(permissions).toContain('verbs: [create, patch, delete]')

    const doer = await as('doer', [...seeing, own(['create', 'delete'], 'replays'), rule('deadletters', 'get', 'list')])
    subscriber.answer(204)
    const before = subscriber.received.length
    await doer.open(`${path}/deadletters`)
    await doer.send('Replay all matching', {})
    await doer.until(/Replay 2</)
    await doer.send('Replay 2', { rate: '100' })
    await doer.until(/2 dead letters delivered/)
    expect(doer.page()).toContain(`system:serviceaccount:${shop.own.name}:doer`)
    expect(subscriber.received).toHaveLength(before + 2)

    const { token } = await shop.own.account('doer', [])
    const other = browserAt(command.server)
    await other.open('/console')
    await other.send('Log in', { token })
    expect(await other.open(`${path}/deadletters`)).toContain('must be made for the audience waybill too')
    await other.open('/console/login')
    expect(await other.send('Log in', { token: `${canary}-token` })).toContain('This token is not valid')
    expect(command.logs()).not.toMatch(new RegExp(`${canary}|eyJhbGci`))
  }, 120_000)

  test('no token, header or body is in the log', () => {
    expect(dispatcher.logs()).not.toContain(canary)
    expect(dispatcher.logs()).not.toMatch(/eyJhbGci/)
  })

  test('an address that others can reach needs a certificate', async () => {
    const { code, err } = await waybill('dispatcher', '--data-listen', ':0')
    expect([code, err]).toEqual([1, expect.stringMatching(/give --data-tls-cert and --data-tls-key, or a loopback/)])
  }, 60_000)
})
