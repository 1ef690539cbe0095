/** Whom to trust and who we are, as TLS has it. */
export type ClusterTls = {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  /** Left out, `NODE_TLS_REJECT_UNAUTHORIZED` decides, as everywhere. */
  readonly rejectUnauthorized?: false
}
