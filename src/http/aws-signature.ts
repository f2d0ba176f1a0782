/**
 * Requests signed for Amazon Web Services, Signature Version 4 in the Authorization field, as
 * every service but S3 checks it. Time and credentials are arguments. Pure.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto'
import { inLowerCase } from './field-names.js'
import { withFields } from './flat-fields.js'

/** By which a request is signed, and for which service of which region. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of credentials that are good for a while. */
  readonly sessionToken: string | undefined
  /** Such as `eu-central-1`. */
  readonly region: string
  /** The name by which the service signs, such as `bedrock`. */
  readonly service: string
}

/** What a signature covers. */
export interface AwsRequest {
  readonly method: string
  /** As `Host` says it. */
  readonly host: string
  /** Origin-form, as it goes; a query may follow. */
  readonly path: string
  /** End-to-end fields, flat, each byte a character. */
  readonly fields: readonly string[]
  /** All of the body, in the coding in which it goes. */
  readonly body: Buffer
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
/** What a signature of somebody else left, beside that field. */
const SIGNATURES = [
  'authorization',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-region-set',
]

/** The request's fields with the signature, and without any that was there before. */
export function awsSigned(
  request: AwsRequest,
  credentials: AwsCredentials,
  nowMs: number,
): string[] {
  const { accessKeyId, sessionToken, region, service } = credentials
  const at = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const payload = sha256(request.body)
  const fields = withFields(
    request.fields,
    [
      ...['x-amz-date', at, 'x-amz-content-sha256', payload],
      ...(sessionToken === undefined ? [] : ['x-amz-security-token', sessionToken]),
    ],
    SIGNATURES,
  )
  const signed = signedOf(request.host, fields)
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.path),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    payload,
  ].join('\n')
  const scope = `${at.slice(0, 8)}/${region}/${service}/aws4_request`
  const text = [ALGORITHM, at, scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n')
  const signature = hmac(keyFor(credentials, at.slice(0, 8)), text).toString('hex')
  const said = `Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return [...fields, 'authorization', `${ALGORITHM} ${said}`]
}

/** Names in lower case, in order; proxies on the way may change all others. */
function signedOf(host: string, fields: readonly string[]): [string, string][] {
  const values = new Map([['host', host]])
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = inLowerCase(fields[i] as string)
    if (name !== 'content-type' && !name.startsWith('x-amz-')) continue
    const value = (fields[i + 1] as string).trim().replace(/\s+/g, ' ')
    const before = values.get(name)
    values.set(name, before === undefined ? value : `${before},${value}`)
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Each segment is encoded once more than it is on the wire; empty ones are none. */
function canonicalPath(path: string): string {
  const bare = path.split('?', 1)[0] as string
  const segments = bare.split('/').filter((segment) => segment !== '')
  const end = bare.endsWith('/') && segments.length > 0 ? '/' : ''
  return `/${segments.map(encoded).join('/')}${end}`
}

/** In the order of their names, then of their values, as they are encoded. */
function canonicalQuery(path: string): string {
  const query = path.slice((path.split('?', 1)[0] as string).length + 1)
  const items = query.split('&').filter((item) => item !== '')
  const pairs = items.map((item): [string, string] => {
    const [name = '', ...value] = item.split('=')
    return [encoded(decoded(name)), encoded(decoded(value.join('=')))]
  })
  pairs.sort(([a, x], [b, y]) => (a === b ? compared(x, y) : compared(a, b)))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

function compared(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** All but unreserved characters (RFC 3986 §2.3) are escaped. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function keyFor(credentials: AwsCredentials, date: string): Buffer {
  const { secretAccessKey, region, service } = credentials
  return [region, service, 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(`AWS4${secretAccessKey}`, date),
  )
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
