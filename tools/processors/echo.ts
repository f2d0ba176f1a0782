/** Lets everything pass, and says in the record what it saw. Usage: echo.js SOCKET */
import { serveProcessor } from 'yori/processor'

await serveProcessor(process.argv[2] ?? '/tmp/yori-echo.sock', {
  name: 'echo',
  requestHead: ({ method, uri }) => ({ tags: [`${method} ${uri.split('?', 1)[0]}`] }),
  requestBody: ({ bytes, isLast }) => ({
    tags: [`${bytes.length} bytes`],
    reasons: [isLast ? 'last' : 'more'],
  }),
  responseHead: ({ status }) => ({ tags: [`status ${status}`] }),
  responseBody: () => undefined,
  complete: () => undefined,
})
