import { type Command, Option } from 'commander'
import { exits, Failure } from '../failure.ts'
import type { Named, ServerOptions } from '../letters/client.ts'

export type Scoped = { readonly namespace?: string }

/** The subscription that is meant. @throws Failure */
export const named = (text: string, { namespace }: Scoped): Named => {
  const [name = '', within = namespace ?? 'default'] = text.split('/').toReversed()
  const isTwice = namespace !== undefined && within !== namespace
  if (name !== '' && within !== '' && !isTwice && text.split('/').length <= 2) return { namespace: within, name }
  throw new Failure(`"${text}" is not a name or namespace/name`, { exitCode: exits.usage })
}

export const withServer = (command: Command): Command =>
  command
    .option('-n, --namespace <namespace>', 'namespace of the subscription (default: default)')
    .option('--server <url>', 'address of the data port', 'http://127.0.0.1:9403' satisfies ServerOptions['server'])
    .option('--token <token>', 'token for it (default: $WAYBILL_TOKEN, else that of waybill run on this machine)')

/** An option that may be given several times. */
export const many = (flags: string, description: string): Option =>
  new Option(flags, `${description}; may be given again`).argParser((text, before: readonly string[] = []) => [
    ...before,
    text,
  ])
