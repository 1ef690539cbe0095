// A subscriber to try Waybill with: prints every request that it gets and answers 204.
//
//   node examples/subscriber.mjs [PORT]      on 127.0.0.1, port 8080 when left out
import { createServer } from 'node:http'

const shown = (name) => name.startsWith('ce-') || name === 'content-type' || name === 'webhook-id'

const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  console.log(`${request.method} ${request.url}`)
  for (const [name, value] of Object.entries(request.headers)) {
    if (shown(name)) console.log(`${name}: ${value}`)
  }
  console.log(`\n${Buffer.concat(chunks)}\n`)
  response.writeHead(204).end()
})

server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`Waiting for events on http://127.0.0.1:${server.address().port}`)
})
