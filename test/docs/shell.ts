/** A simple command: its words without quotes. */
export type Command = readonly string[]

/** Words that the shell itself reads in front of a command. */
const keywords = new Set(['while', 'do', 'then', 'if', 'done', 'fi'])

const token = /\\\n|\s*#[^\n]*(?=\n|$)|[ \t]+|(\n|&&|\|\||[;|&])|((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\;|&])+)/gy

/** Splits a script into simple commands, as far as the blocks of the documentation need: words, quotes, comments, lists. */
export const commandsOf = (script: string): readonly Command[] => {
  const commands: string[][] = [[]]
  for (const [, separator, word] of script.matchAll(token)) {
    if (separator !== undefined) commands.push([])
    else if (word !== undefined) commands.at(-1)?.push(unquoted(word))
  }
  return commands
    .map((words) => (keywords.has(words[0] ?? '') ? words.slice(1) : words))
    .filter((words) => words.length > 0)
}

const unquoted = (word: string): string =>
  word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, (_, single?: string, double?: string) => single ?? double ?? '')
