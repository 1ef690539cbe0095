import { styleText } from 'node:util'

/** Tells the story on a terminal; in plain text where standard output is none. */
export type Say = {
  title(text: string): void
  /** What happens, stamped with the seconds since the last title. */
  now(text: string): void
  /** Output of something else, indented. */
  quote(text: string): void
  /** Something that must hold; remembers it when it does not. */
  judge(held: boolean, text: string): void
  /** What did not hold so far. */
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
