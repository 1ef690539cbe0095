/** What is read of a page as it is shown; a script, because the browser runs it. */
const looks = `(() => {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const brush = canvas.getContext('2d', { willReadFrequently: true })
  const rgba = (color) => {
    brush.clearRect(0, 0, 1, 1)
    brush.fillStyle = color
    brush.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1)
  const light = (color) => {
    const [r, g, b] = color.map((each) => {
      const part = each / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = (element) => {
    if (!element) return [255, 255, 255, 1]
    const own = rgba(getComputedStyle(element).backgroundColor)
    return own[3] === 1 ? own : over(own, ground(element.parentElement))
  }
  const opacity = (element) => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1)
  const faint = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    const text = walker.currentNode.textContent.trim()
    if (text === '' || !element.checkVisibility() || element.closest(':disabled, title, script, noscript')) continue
    const style = getComputedStyle(element)
    const below = ground(element)
    const color = rgba(element.closest('svg') ? style.fill : style.color)
    color[3] *= opacity(element)
    const [a, b] = [light(over(color, below)), light(below)]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    if (ratio < (isLarge ? 3 : 4.5)) faint.push(text.slice(0, 40) + ' ' + ratio.toFixed(2))
  }
  const unnamed = [...document.querySelectorAll('input:not([type=hidden]), select, button, a')].filter(
    (each) => !(each.labels && each.labels.length > 0) && !each.getAttribute('aria-label') && !each.textContent.trim(),
  )
  const { scrollWidth, clientWidth } = document.documentElement
  return { faint, unnamed: unnamed.map((each) => each.outerHTML.slice(0, 80)), excess: scrollWidth - clientWidth }
})()`

/** Texts that differ too little from their background, controls without a name, and by how much it is too wide. */
export type Looks = { readonly faint: string[]; readonly unnamed: string[]; readonly excess: number }

export const looksOf = async (page: { evaluate(script: string): Promise<unknown> }): Promise<Looks> =>
  (await page.evaluate(looks)) as Looks
