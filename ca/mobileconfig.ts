/**
 * The root as an Apple configuration profile, for iOS, iPadOS and macOS. Its identifiers follow
 * from the certificate, so that installing the same root again replaces the profile rather
 * than adding one. Pure.
 */
import { createHash } from 'node:crypto'

export function mobileconfig(certificate: Uint8Array, organization: string): string {
  const fingerprint = createHash('sha256').update(certificate).digest('hex')
  const identifier = `net.yori.root.${fingerprint.slice(0, 16)}`
  const name = `${organization} root ${fingerprint.slice(0, 8)}`
  const content = Buffer.from(certificate).toString('base64')
  const certificatePayload = dictionary([
    ['PayloadCertificateFileName', text('yori-root.cer')],
    ['PayloadContent', `<data>${content}</data>`],
    ['PayloadDescription', text('Adds the root certificate of YORI.')],
    ['PayloadDisplayName', text(name)],
    ['PayloadIdentifier', text(`${identifier}.certificate`)],
    ['PayloadType', text('com.apple.security.root')],
    ['PayloadUUID', text(uuidOf('certificate', fingerprint))],
    ['PayloadVersion', '<integer>1</integer>'],
  ])
  const profile = dictionary([
    ['PayloadContent', `<array>${certificatePayload}</array>`],
    [
      'PayloadDescription',
      text(
        'Lets YORI show what this device asks language models. After installing it on iOS, switch it on under Settings, General, About, Certificate Trust Settings.',
      ),
    ],
    ['PayloadDisplayName', text(name)],
    ['PayloadIdentifier', text(identifier)],
    ['PayloadOrganization', text(organization)],
    ['PayloadRemovalDisallowed', '<false/>'],
    ['PayloadType', text('Configuration')],
    ['PayloadUUID', text(uuidOf('profile', fingerprint))],
    ['PayloadVersion', '<integer>1</integer>'],
  ])
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${profile}
</plist>
`
}

function dictionary(entries: readonly (readonly [key: string, value: string])[]): string {
  const lines = entries.map(([key, value]) => `<key>${key}</key>\n${value}\n`)
  return `<dict>\n${lines.join('')}</dict>`
}

function text(value: string): string {
  const escaped = value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
  return `<string>${escaped}</string>`
}

/** A version 8 UUID (RFC 9562 §5.8) that depends on the certificate alone. */
function uuidOf(part: string, fingerprint: string): string {
  const hash = createHash('sha256').update(`${part}:${fingerprint}`).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex').toUpperCase()
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
}
