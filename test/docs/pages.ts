import { globSync, readFileSync } from 'node:fs'

/** Every page of the documentation, by its path from the root of the repository. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...globSync('docs/**/*.md').sort(),
  'charts/waybill/README.md',
  'examples/README.md',
  'bench/README.md',
]

const fence = /^```(\w*)\n([\s\S]*?)^```$/gm

/** A code block of a page; `language` is '' where none is named. */
export type Block = {
  readonly language: string
  readonly text: string
  /** The heading that it stands under. */
  readonly heading: string
}

export const blocksOf = (markdown: string): readonly Block[] =>
  [...markdown.matchAll(fence)].map(({ 1: language = '', 2: text = '', index }) => {
    const heading = headingsOf(markdown.slice(0, index)).at(-1) ?? ''
    return { language, text, heading }
  })

export const textOf = (page: string): string => readFileSync(page, 'utf8')

/** A page without its code: links and headings are only outside of it. */
const proseOf = (markdown: string): string => markdown.replaceAll(fence, '')

/** The targets of all links. */
export const linksOf = (markdown: string): readonly string[] =>
  [...proseOf(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)

const headingsOf = (markdown: string): readonly string[] =>
  [...proseOf(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)

/** The anchors that GitHub gives the headings. */
export const anchorsOf = (markdown: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const heading of headingsOf(markdown)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}
