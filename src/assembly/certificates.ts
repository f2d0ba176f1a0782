/** What the pipeline is given of the CA: contexts for names, roots, our own site's certificate. */
import { stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { Authority } from '../../ca/authority.js'
import { derOf } from '../../ca/export.js'
import { LeafContexts } from '../../ca/leaf-cache.js'
import { mobileconfig } from '../../ca/mobileconfig.js'
import { NextChain } from '../../ca/next-chain.js'
import { NextContexts } from '../../ca/next-contexts.js'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import type { Certificates, Roots } from '../proxy/words/certificates.js'
import { caSettingsOf } from './from-config/ca.js'
import { OWN_NAMES } from './from-config/pipeline.js'
import { readPem } from './from-config/read-pem.js'

/** Certificates for names, of both chains. */
export function certificatesOf(
  authority: Authority,
  config: Config,
  clock: Clock,
): Certificates & { nextContext(name: string): SecureContext | undefined } {
  const chain = new NextChain({ ...caSettingsOf(config), clock })
  const next = new NextContexts(authority, chain, clock)
  const contexts = new LeafContexts({
    authority,
    clock,
    max: config.limits.leaf_contexts,
    contextOptions: { minVersion: 'TLSv1.2' },
  })
  return {
    get: (name) => contexts.get(name),
    contextFor: (name) => contexts.contextFor(name),
    nextContext: (name) => next.get(name),
    nextContextFor: (name) => next.contextFor(name),
    mintable: (name) =>
      authority.permits(name) && authority.usable(clock.now()).kind === 'usable',
  }
}

/** Looks again each time: a rotation changes them while we run. */
export function rootsOf(authority: Authority, organization: string): Roots {
  return {
    get rootPem() {
      return authority.rootPem
    },
    get rootFingerprint() {
      return authority.rootFingerprint
    },
    get staged() {
      return authority.staged
    },
    get constrained() {
      return authority.constrained
    },
    condition: (nowMs) => authority.condition(nowMs),
    profileOf: (pem) => mobileconfig(derOf(pem), organization),
  }
}

/** Shown to clients of our own site that send no SNI, or any when the operator gave one. */
export async function siteCertificate(
  config: Config,
  authority: Authority,
  clock: Clock,
): Promise<{ cert: string; key: string } | undefined> {
  const own = await siteCertificateOf(config)
  if (own !== undefined) return own
  const [name = 'localhost'] = OWN_NAMES
  if (!authority.permits(name) || authority.usable(clock.now()).kind !== 'usable')
    return undefined
  return { cert: authority.mint(name, clock.now()).certPem, key: authority.leafKeyPem }
}

/**
 * The operator's own, where there is one.
 * @throws YORI_CONFIG_INVALID, YORI_CA_KEY_EXPOSED
 */
export async function siteCertificateOf(
  config: Config,
): Promise<{ cert: string; key: string } | undefined> {
  const { tls_cert: certFile, tls_key: keyFile } = config.proxy
  if (certFile === undefined || keyFile === undefined) return undefined
  await refuseExposed(keyFile)
  const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)])
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `proxy.tls_cert and proxy.tls_key do not fit together: ${why}`,
      { cause },
    )
  }
  return { cert, key }
}

/** The key of our own site is held to what the CA's keys are held to. */
async function refuseExposed(keyFile: string): Promise<void> {
  const found = await stat(keyFile).catch(() => undefined)
  if (found === undefined || (found.mode & 0o077) === 0) return
  const mode = (found.mode & 0o777).toString(8)
  throw new YoriError(
    'YORI_CA_KEY_EXPOSED',
    `proxy.tls_key ${keyFile} has mode 0${mode}: others can read it; run: chmod 600 ${keyFile}`,
  )
}
