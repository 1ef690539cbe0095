type Write = (fields: object, message: string) => void

/** Where a store writes what happens; `error` in the fields is written with its causes. */
export type Log = { readonly debug: Write; readonly info: Write; readonly warn: Write; readonly error: Write }
