import assert from 'node:assert/strict'
import { browserAt } from '../../test/console/browser.ts'
import { release, shopNamespace, system } from '../names.ts'
import { forwardPorts } from '../port-forward.ts'
import { inRepository, type World } from '../world.ts'

const service = `service/${release}-console`

/** What somebody who may view a namespace sees of it in a browser. */
export const lookInBrowser = async ({ cluster, image, report }: World): Promise<void> => {
  report.section('The console')
  const withConsole = (enabled: boolean): Promise<string> => {
    const values = ['--set', `console.enabled=${enabled},console.tlsInFront=true`]
    const args = ['-n', system, ...image, ...values, '--wait', '--timeout', '120s']
    return cluster.helm(['upgrade', release, inRepository('charts/waybill'), ...args])
  }
  const isThere = await report.step('the console starts with console.enabled', async () => {
    await withConsole(true)
  })
  if (!isThere) return
  const forward = await forwardPorts(cluster, system, service, [9404])
  const browser = browserAt(`http://127.0.0.1:${forward.ports[0]}`)
  await report.step(
    'whoever may view the namespace logs in with a token, and sees its subscriptions alone',
    async () => {
      const inShop = ['-n', shopNamespace]
      await cluster.kubectl([...inShop, 'create', 'serviceaccount', 'viewer'])
      const binding = [
        'create',
        'rolebinding',
        'viewer',
        '--clusterrole=view',
        `--serviceaccount=${shopNamespace}:viewer`,
      ]
      await cluster.kubectl([...inShop, ...binding])
      const login = await browser.open('/console')
      const [, flags = ''] = /--duration 1h( --audience \S+ --audience [^<\s]+)/.exec(login) ?? []
      const token = await cluster.kubectl([...inShop, 'create', 'token', 'viewer', ...flags.trim().split(' ')])
      const overview = await browser.send('Log in', { token: token.trim() })
      assert.match(overview, /You may not list the Subscriptions of all namespaces/)
      const page = await browser.open(`/console?namespace=${shopNamespace}`)
      for (const name of ['mailing', 'billing', 'shipping']) assert(page.includes(`>${name}<`), `${name} is not listed`)
      assert(!page.includes(token.trim()), 'the token is on the page')
    },
  )
  await forward.close()
  await report.step('the console goes again, and nothing else changes', async () => {
    await withConsole(false)
  })
}
