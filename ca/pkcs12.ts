/**
 * Roots as a PKCS#12 trust store (RFC 7292) for Java, which takes a certificate for a
 * trusted one only when its bag carries Oracle's attribute for it. No key inside, so nothing
 * is encrypted; the password only guards against damage, and Java insists on one.
 */
import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import type { md as ForgeMd, util as ForgeUtil } from 'node-forge'
import * as der from './asn1.js'
import type { Asn1 } from './asn1.js'

export interface TrustedCertificate {
  /** What `keytool -list` shows; each its own. */
  readonly alias: string
  readonly der: Uint8Array
}

export interface TrustStoreOptions {
  readonly password: string
  /** Returns that many unpredictable octets. */
  readonly random: (bytes: number) => Uint8Array
}

const OID = {
  data: '1.2.840.113549.1.7.1',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  /** Oracle's trustedKeyUsage; its value names the usages, here any. */
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const

const MAC_ITERATIONS = 10_000
const SALT_BYTES = 20
const MAC_KEY_BYTES = 32
/** RFC 7292 appendix B.3: the key is for a MAC. */
const MAC_KEY_PURPOSE = 3

/** Its types leave this one out; the order is that of RFC 7292 appendix B.2. */
// eslint-disable-next-line max-params
type GeneratePkcs12Key = (
  password: string,
  salt: ForgeUtil.ByteStringBuffer,
  purpose: number,
  iterations: number,
  bytes: number,
  digest: ForgeMd.sha256.MessageDigest,
) => ForgeUtil.ByteStringBuffer

export function trustStore(
  certificates: readonly TrustedCertificate[],
  { password, random }: TrustStoreOptions,
): Buffer {
  const bags = der.sequence(...certificates.map(bagOf))
  const safe = der.toDer(der.sequence(data(der.toDer(bags))))
  const salt = random(SALT_BYTES)
  const mac = createHmac('sha256', macKey(password, salt)).update(safe).digest()
  return der.toDer(
    der.sequence(
      der.integer(3),
      data(safe),
      der.sequence(
        der.sequence(der.sequence(der.oid(OID.sha256), der.nothing()), der.octets(mac)),
        der.octets(salt),
        der.integer(MAC_ITERATIONS),
      ),
    ),
  )
}

function bagOf({ alias, der: certificate }: TrustedCertificate): Asn1 {
  return der.sequence(
    der.oid(OID.certBag),
    der.explicit(
      0,
      der.sequence(
        der.oid(OID.x509Certificate),
        der.explicit(0, der.octets(certificate)),
      ),
    ),
    der.set(
      attribute(OID.friendlyName, der.bmp(alias)),
      attribute(OID.trustedKeyUsage, der.oid(OID.anyExtendedKeyUsage)),
    ),
  )
}

function data(content: Uint8Array): Asn1 {
  return der.sequence(der.oid(OID.data), der.explicit(0, der.octets(content)))
}

function attribute(type: string, value: Asn1): Asn1 {
  return der.sequence(der.oid(type), der.set(value))
}

function macKey(password: string, salt: Uint8Array): Buffer {
  const require = createRequire(import.meta.url)
  require('node-forge/lib/sha256.js')
  require('node-forge/lib/pbe.js')
  const forge = require('node-forge/lib/forge.js') as {
    md: typeof ForgeMd
    util: typeof ForgeUtil
    pki: { pbe: { generatePkcs12Key: GeneratePkcs12Key } }
  }
  const octets = forge.util.createBuffer(Buffer.from(salt).toString('latin1'))
  const key = forge.pki.pbe.generatePkcs12Key(
    password,
    octets,
    MAC_KEY_PURPOSE,
    MAC_ITERATIONS,
    MAC_KEY_BYTES,
    forge.md.sha256.create(),
  )
  return Buffer.from(key.getBytes(), 'latin1')
}
