/**
 * A certificate authority of our own for origins in tests, the demo and the bench: RSA and
 * P-256 leaves for any names, right or wrong on purpose. Needs no program, only Node and
 * node-forge, and shares no code with `ca/`, so that one cannot hide the other's mistakes.
 * RFC 5280.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import {
  addressBytes,
  bits,
  boolean,
  decode,
  encode,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.js'
import type { Node } from './der.js'

export type KeyType = 'ec' | 'rsa'

export interface LeafOptions {
  /** DNS names and IP addresses for the subject alternative names. */
  readonly names: readonly string[]
  /** P-256 unless said. RSA is 2048 bits; its key is made once a process and shared. */
  readonly keyType?: KeyType
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Signed by its own key instead of the authority's. */
  readonly selfSigned?: boolean
}

export interface Issued {
  /** The leaf, then the intermediates below the root. */
  readonly certificatePem: string
  readonly keyPem: string
}

interface Identity {
  readonly name: Node
  readonly key: KeyObject
}

interface Body {
  readonly subject: Node
  readonly subjectKey: KeyObject
  readonly issuer: Identity
  readonly notBefore: Date
  readonly notAfter: Date
  readonly extensions: readonly Node[]
}

const DAY_MS = 86_400_000
const OID = {
  commonName: '2.5.4.3',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  rsaSha256: '1.2.840.113549.1.1.11',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
}

export class TestCa {
  readonly certificatePem: string
  readonly #identity: Identity
  readonly #chain: string

  /** Without `parent` it is a root; with one, an intermediate that sends its own certificate. */
  constructor(commonName = 'Test Root', keyType: KeyType = 'ec', parent?: TestCa) {
    this.#identity = { name: distinguishedName(commonName), key: newKey(keyType) }
    const now = Date.now()
    this.certificatePem = certificate({
      subject: this.#identity.name,
      subjectKey: this.#identity.key,
      issuer: parent === undefined ? this.#identity : parent.#identity,
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + 365 * DAY_MS),
      extensions: [
        extension(OID.basicConstraints, true, sequence(boolean(true))),
        extension(OID.keyUsage, true, bits(Buffer.from([0x06]), 1)),
      ],
    })
    this.#chain = parent === undefined ? '' : this.certificatePem + parent.#chain
  }

  intermediate(commonName = 'Test Intermediate', keyType: KeyType = 'ec'): TestCa {
    return new TestCa(commonName, keyType, this)
  }

  issue(options: LeafOptions): Issued {
    const key = newKey(options.keyType ?? 'ec')
    const subject = distinguishedName((options.names[0] ?? 'unnamed').slice(0, 64))
    const now = Date.now()
    const leaf = certificate({
      subject,
      subjectKey: key,
      issuer: options.selfSigned === true ? { name: subject, key } : this.#identity,
      notBefore: options.notBefore ?? new Date(now - DAY_MS),
      notAfter: options.notAfter ?? new Date(now + 30 * DAY_MS),
      extensions: [
        extension(OID.basicConstraints, true, sequence()),
        extension(OID.keyUsage, true, bits(Buffer.from([0xa0]), 5)),
        extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
        extension(OID.subjectAltName, false, sequence(...options.names.map(generalName))),
      ],
    })
    return {
      certificatePem: options.selfSigned === true ? leaf : leaf + this.#chain,
      keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    }
  }

  /** A leaf that ended yesterday. */
  issueExpired(names: readonly string[]): Issued {
    const now = Date.now()
    return this.issue({
      names,
      notBefore: new Date(now - 3 * DAY_MS),
      notAfter: new Date(now - DAY_MS),
    })
  }
}

function certificate(body: Body): string {
  const algorithm = signatureAlgorithm(body.issuer.key)
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40 // positive and of full length
  const unsigned = sequence(
    tagged(0, [integer(Buffer.from([2]))]), // v3
    integer(serial),
    algorithm,
    body.issuer.name,
    sequence(time(body.notBefore), time(body.notAfter)),
    body.subject,
    decode(publicDer(body.subjectKey)),
    tagged(3, [
      sequence(
        ...body.extensions,
        extension(OID.subjectKeyId, false, octets(keyId(body.subjectKey))),
        extension(OID.authorityKeyId, false, sequence(tagged(0, keyId(body.issuer.key)))),
      ),
    ]),
  )
  const signature = sign('sha256', encode(unsigned), body.issuer.key)
  return toPem(encode(sequence(unsigned, algorithm, bits(signature))))
}

function signatureAlgorithm(key: KeyObject): Node {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(oid(OID.rsaSha256), nothing())
    : sequence(oid(OID.ecdsaSha256))
}

const extension = (id: string, critical: boolean, value: Node): Node =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(encode(value)))

const distinguishedName = (commonName: string): Node =>
  sequence(set(sequence(oid(OID.commonName), utf8(commonName))))

const generalName = (name: string): Node =>
  isIP(name) === 0 ? tagged(2, Buffer.from(name)) : tagged(7, addressBytes(name))

const publicDer = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' })

const keyId = (key: KeyObject): Buffer =>
  createHash('sha256').update(publicDer(key)).digest().subarray(0, 20)

let sharedRsaPem: string | undefined

function newKey(type: KeyType): KeyObject {
  if (type === 'ec') {
    return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
  }
  sharedRsaPem ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  }).privateKey
  return createPrivateKey(sharedRsaPem)
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
