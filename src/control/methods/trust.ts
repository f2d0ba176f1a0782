/** Who trusts us, and where a device gets the certificate: what the page Trust shows. */
import { formatSocketAddress } from '../../core/address.js'
import { momentText } from '../../core/moment-text.js'
import { readinessOf, trustsNow } from '../../core/trust.js'
import type { TrustEntry } from '../../core/trust.js'
import { qrCode } from '../../proxy/site/qr-code.js'
import { json, notFound } from '../answer.js'
import type { Handler, Surroundings } from '../method.js'

export const trust: Handler = ({ on }) => {
  const { appliance, clock } = on.port
  const { config, services, authority } = appliance.current
  const { rootFingerprint, staged, constrained } = services.roots
  const { present, notReady } = readinessOf(
    appliance.trust.entries(),
    rootFingerprint,
    staged?.fingerprint,
  )
  const condition = authority.condition(clock.now(), (ms) =>
    momentText(ms, config.enforcement.timezone),
  )
  return json({
    root: { sha256: rootFingerprint, constrained },
    staged:
      staged === undefined
        ? null
        : {
            sha256: staged.fingerprint,
            from: momentOf(staged.switchAtMs),
            not_ready: notReady.map(({ device }) => device),
          },
    condition: { kind: condition.kind, says: reasonOf(condition) },
    page: pageOf(on) ?? null,
    devices: present.map(shapeOf),
  })
}

/** Of the page where devices get the certificate. */
export const qr: Handler = ({ on }) => {
  const page = pageOf(on)
  if (page === undefined) throw notFound('page that other devices could open')
  const body = qrCode(page, `QR code of ${page}`)
  return { kind: 'text', status: 200, type: 'image/svg+xml', body }
}

/** Undefined: we listen on no address of a private network. */
function pageOf({ port }: Surroundings): string | undefined {
  const [first] = port.appliance.current.services.reach()
  return first === undefined ? undefined : `http://${formatSocketAddress(first)}/`
}

function shapeOf(entry: TrustEntry) {
  const { device, ip, hostname, trustedName, refusedName, refusedCause } = entry
  return {
    ...{ device, ip, hostname: hostname ?? null, trusts: trustsNow(entry) },
    trusted_at: momentOf(entry.trustedAt),
    trusted_name: trustedName ?? null,
    refused_at: momentOf(entry.refusedAt),
    refused_name: refusedName ?? null,
    refused_cause: refusedCause ?? null,
  }
}

function momentOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

function reasonOf(condition: { readonly kind: string; readonly reason?: string }) {
  return condition.reason ?? null
}
