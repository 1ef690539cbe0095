/** PEM. `ca` replaces the authorities that the system trusts. */
export type TlsOptions = {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

/** What Waybill knows of a subscriber from Secrets: whom to trust and how to prove who is calling. Never log it. */
export type Credentials = {
  readonly tls?: TlsOptions
}
