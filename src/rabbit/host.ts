import { isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { EndpointError } from './endpoint-error.ts'

/** A name or an address, as name servers and certificates write it: `bücher.example` is `xn--bcher-kva.example`. @throws EndpointError */
export const hostOf = (text: string, key: string): string => {
  const bare = text.trim().replace(/^\[(.*)\]$/, '$1')
  if (isIPv6(bare)) return bare
  const ascii = /[\s/:@?#[\]]/.test(bare) ? '' : domainToASCII(bare)
  if (ascii === '') {
    throw new EndpointError(
      `${key} must have the name or address of a host, without scheme, port or path: ${JSON.stringify(bare.slice(0, 80))} is neither`,
    )
  }
  return ascii
}
