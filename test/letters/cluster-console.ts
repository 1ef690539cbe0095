import { browserAt } from '../console/browser.ts'
import type { ClusterShop } from '../support/cluster-shop.ts'
import type { Rule } from '../support/kubernetes/account.ts'
import { type Command, startCommand } from '../support/waybill.ts'

/** `waybill console` with an account that may do nothing, and browsers of people with accounts of their own. */
export type ClusterConsole = {
  readonly command: Command
  /** Somebody with these rights, who logged in with the token that the page says to paste. */
  as(name: string, rules: readonly Rule[]): Promise<ReturnType<typeof browserAt>>
}

export const startClusterConsole = async (shop: ClusterShop, data: string, ca: string): Promise<ClusterConsole> => {
  const { kubeconfig } = await shop.own.account('console', [])
  const args = ['console', '--data-server', data, '--data-ca', ca, '--log-level', 'debug']
  const command = await startCommand(args, { env: { KUBECONFIG: kubeconfig } })
  return {
    command,
    async as(name, rules) {
      await shop.own.account(name, rules)
      const browser = browserAt(command.server)
      const [, flags = ''] =
        /--duration 1h( --audience \S+ --audience [^<\s]+)/.exec(await browser.open('/console')) ?? []
      const token = await shop.own.kubectl(['create', 'token', name, ...flags.trim().split(' ')])
      await browser.send('Log in', { token: token.trim() })
      return browser
    },
  }
}
