// The smallest subscriber: prints each request that it receives, and answers it.
//
//   node examples/subscriber.mjs [port] [status]      8080 and 204, which means "done", when left out
import { createServer } from 'node:http'

const [port = '8080', status = '204'] = process.argv.slice(2)

const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  console.log(`${request.method} ${request.url}`)
  for (const [name, value] of Object.entries(request.headers)) console.log(`${name}: ${value}`)
  console.log(`\n${Buffer.concat(chunks)}\n`)
  response.writeHead(Number(status)).end()
})

server.listen(Number(port), '127.0.0.1', () => {
  console.log(`Answering ${status} on http://127.0.0.1:${server.address().port}`)
})
