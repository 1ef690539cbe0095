import { styleText } from 'node:util'

/** Prints a story to a terminal, or as plain text when standard output is not a terminal. */
export type Say = {
  title(text: string): void
  /** What happens now, with the seconds since the last title. */
  now(text: string): void
  /** Output of another program, indented. */
  quote(text: string): void
  /** The result of a check; failed ones are collected in `failures`. */
  judge(held: boolean, text: string): void
  /** The checks that failed so far. */
  failures(): readonly string[]
}

export const terminal = (print: (line: string) => void): Say => {
  const failures: string[] = []
  let startedMs = performance.now()
  return {
    title(text) {
      startedMs = performance.now()
      print(`\n${styleText('bold', text)}`)
    },
    now(text) {
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5)
      print(`${styleText('dim', `${seconds} s`)}  ${text}`)
    },
    quote(text) {
      for (const line of text.trimEnd().split('\n')) print(`         ${styleText('dim', line)}`)
    },
    judge(held, text) {
      if (!held) failures.push(text)
      print(`       ${held ? styleText('green', '✓') : styleText('red', '✗')} ${text}`)
    },
    failures: () => failures,
  }
}
