// A classifier behind HTTP. The server answers other requests while the model runs, refuses texts that are too long with
// 413, and stops the work of a client that went away.
//   node examples/classify-server.mjs [port]
//   curl localhost:8080 -d '{"texts": ["A gorgeous film.", "An utter waste of time."]}'
import { createServer } from 'node:http'
import { bundledModelPath, DebertaError, pipeline } from 'deberta'

const classify = await pipeline('text-classification', bundledModelPath('deberta-mini-en-sentiment'))

/** The body of a request, of at most 1 MB. */
async function readBody(request) {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > 1e6) throw new SyntaxError('the body is larger than 1 MB')
  }
  return JSON.parse(body)
}

function statusOf(error) {
  if (error instanceof SyntaxError) return 400
  if (!(error instanceof DebertaError)) return 500
  if (error.code === 'DEBERTA_ERR_SEQUENCE_TOO_LONG') return 413
  return error.code === 'DEBERTA_ERR_INVALID_ARGUMENT' ? 400 : 500
}

const server = createServer(async (request, response) => {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  try {
    const { texts } = await readBody(request)
    const results = await classify(texts, { signal: gone.signal })
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(results))
  } catch (error) {
    if (gone.signal.aborted) return
    response.statusCode = statusOf(error)
    response.end(JSON.stringify({ error: error.message, code: error.code }))
  }
})

server.listen(Number(process.argv[2] ?? 8080), () => {
  console.log(`listening on ${server.address().port}`)
})
process.once('SIGTERM', () => {
  server.close(() => classify.dispose())
})
