import { lackOf, readSecret } from '../../src/store/read-secret.ts'

const secretOf = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]))
const storeOf = (data: Record<string, string> | undefined) => ({ secret: async () => data && secretOf(data) })
const named = { namespace: 'shop', name: 'trust' }

test.each([
  { what: 'a key that is there', data: { 'ca.crt': 'PEM' }, lack: undefined },
  { what: 'a missing key', data: {}, lack: 'needs the key ca.crt' },
  { what: 'an empty key', data: { 'ca.crt': '' }, lack: 'needs the key ca.crt' },
  { what: 'a key of nothing but white space', data: { 'ca.crt': ' \n' }, lack: 'needs the key ca.crt' },
])('the lack of a Secret with $what is $lack', ({ data, lack }) => {
  expect(lackOf(secretOf(data), ['ca.crt'])).toBe(lack)
})

test('two missing keys of a Secret are named together', () => {
  expect(lackOf({}, ['tls.crt', 'tls.key'])).toBe('needs the keys tls.crt and tls.key')
})

test('a Secret that does not exist and one that lacks a key are problems that name it', async () => {
  expect(await readSecret(storeOf(undefined), named, [])).toEqual({ problem: 'Secret shop/trust does not exist' })
  expect(await readSecret(storeOf({}), named, ['ca.crt'])).toEqual({
    problem: 'Secret shop/trust needs the key ca.crt',
  })
})

test('a Secret with every key is read whole', async () => {
  const read = await readSecret(storeOf({ 'ca.crt': 'PEM', more: 'text' }), named, ['ca.crt'])
  expect(read).toEqual({ data: secretOf({ 'ca.crt': 'PEM', more: 'text' }) })
})
