/** AWS Signature Version 4 checked as the service does: from the request that arrived. */
import { createHash, createHmac } from 'node:crypto'

export interface Arrived {
  readonly method: string
  /** With its query. */
  readonly url: string
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

const digest = (data: string | Buffer): string =>
  createHash('sha256').update(data).digest('hex')

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

/** Does the signature hold, and over which fields? */
export function checkSigned(
  arrived: Arrived,
  secret: string,
): { readonly holds: boolean; readonly fields: readonly string[] } {
  const valueOf = (name: string): string =>
    arrived.rawHeaders
      .filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === name)
      .map((value) => value.trim().replace(/ +/g, ' '))
      .join(',')
  const authorization = valueOf('authorization')
  const [, scope = '', list = '', signature = ''] =
    /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)/.exec(
      authorization,
    ) ?? []
  const fields = list.split(';')
  const [path = '/', query = ''] = arrived.url.split('?')
  const canonical = [
    arrived.method,
    // Of all services but S3 each segment is encoded once more.
    path
      .split('/')
      .map((segment) => encodeURIComponent(segment))
      .join('/'),
    query,
    ...fields.map((name) => `${name}:${valueOf(name)}`),
    '',
    list,
    digest(arrived.body),
  ].join('\n')
  const [date = '', region = '', service = ''] = scope.split('/')
  const text = ['AWS4-HMAC-SHA256', valueOf('x-amz-date'), scope, digest(canonical)]
  const key = [region, service, 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(`AWS4${secret}`, date),
  )
  return { holds: hmac(key, text.join('\n')).toString('hex') === signature, fields }
}
