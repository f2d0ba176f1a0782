/**
 * Asks a token endpoint (RFC 7662, introspection) whether the bearer of a request is good, and
 * takes it off before the request goes up. Its entry needs `headers: [authorization]`.
 * Usage: auth.js SOCKET URL
 */
import { serveProcessor } from 'yori/processor'

const [path = '/tmp/yori-auth.sock', url = 'http://127.0.0.1:8089/introspect'] =
  process.argv.slice(2)

await serveProcessor(path, {
  name: 'auth',
  async requestHead({ headers }) {
    const [, token] = /^Bearer (.+)$/i.exec(headers['authorization']?.[0] ?? '') ?? []
    if (token === undefined)
      return { block: { status: 401, text: 'no token' }, reasons: ['no_token'] }
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }),
      signal: AbortSignal.timeout(800),
    })
    const { active, sub } = (await answer.json()) as { active?: boolean; sub?: string }
    if (active !== true)
      return {
        block: { status: 401, text: 'the token is not good' },
        reasons: ['inactive'],
      }
    return { requestHeaders: { authorization: null, 'x-user': sub ?? 'unknown' } }
  },
})
