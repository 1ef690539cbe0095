import { visible, visibleJson, visibleLines } from '../../src/api/visible.ts'

test.each([
  ['\u001b[31mred', '\\u{1b}[31mred'],
  ['a\r\nb\tc\u0000', 'a\\u{d}\\u{a}b\\u{9}c\\u{0}'],
  ['\u009b31m\u007f', '\\u{9b}31m\\u{7f}'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['a\u200bb\u2028c\ufeff', 'a\\u{200b}b\\u{2028}c\\u{feff}'],
  ['\ud800', '\\u{d800}'],
  ['\u{e0041}', '\\u{e0041}'],
  ['grün, 注文 🙂', 'grün, 注文 🙂'],
])('the text %j is printed as %s', (text, printed) => {
  expect(visible(text)).toBe(printed)
})

test('lines and tabs of a body stay, and nothing else that a terminal acts on', () => {
  expect(visibleLines('a\n\tb\r\u001b')).toBe('a\n\tb\\u{d}\\u{1b}')
})

test('JSON stays the same JSON', () => {
  const value = { a: '\u001b\u009b\u202e\u{e0041}\u007f', b: ['🙂'] }
  const text = visibleJson(value, 2)
  expect(JSON.parse(text)).toEqual(value)
  expect(text).toContain('\\u001b\\u009b\\u202e\\udb40\\udc41\\u007f')
})
