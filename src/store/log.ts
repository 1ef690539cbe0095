type Write = (fields: object, message: string) => void

/** Where a store logs; `error` in the fields is written with its causes. Each part takes the levels that it uses. */
export type Log = { readonly debug: Write; readonly info: Write; readonly warn: Write; readonly error: Write }
