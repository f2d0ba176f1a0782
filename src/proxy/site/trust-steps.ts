/**
 * The steps by which each kind of device comes to trust a root, and what it then still does
 * not do. Plain text; `code` between back-ticks. Pure data.
 */
import type { DeviceKind } from './device-kind.js'

export type RootForm = 'mobileconfig' | 'cer' | 'pem'

export interface TrustSteps {
  readonly kind: DeviceKind
  readonly title: string
  /** What to download on it. */
  readonly form: RootForm
  readonly steps: readonly string[]
  /** What only some have to do besides. */
  readonly aside?: string
  /** What it does not do all the same. */
  readonly limits?: string
}

export const TRUST_STEPS: readonly TrustSteps[] = [
  {
    kind: 'ios',
    title: 'iPhone and iPad',
    form: 'mobileconfig',
    steps: [
      'Open this page in Safari, download the profile and allow it.',
      'Open Settings. Tap Profile Downloaded near the top (or General, VPN & Device Management), then Install.',
      'Open Settings, General, About, Certificate Trust Settings (at the very end) and switch the root on under Enable Full Trust. Without this switch it is installed and not trusted.',
    ],
    limits:
      'Apps that accept only their own certificates go on as before: YORI leaves them untouched.',
  },
  {
    kind: 'android',
    title: 'Android',
    form: 'cer',
    steps: [
      'Download the certificate.',
      'Open Settings and search for “CA certificate” (mostly under Security, More security settings, Install from device storage).',
      'Choose CA certificate, Install anyway, and the downloaded file.',
    ],
    aside:
      'Firefox only: Settings, About Firefox, tap the logo five times, then Settings, Secret Settings, Use third party CA certificates.',
    limits:
      'Android lets browsers use it, but most apps trust only the built-in list: their traffic passes YORI untouched and is counted as such.',
  },
  {
    kind: 'macos',
    title: 'Mac',
    form: 'mobileconfig',
    steps: [
      'Download the profile and open it.',
      'Open System Settings, General, Device Management (older: Privacy & Security, Profiles), choose the profile and Install.',
      'Or in a terminal, with the .cer file: `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain yori-root.cer`',
    ],
    limits:
      'Programs such as Node, Python and Java have lists of their own: see Programs.',
  },
  {
    kind: 'windows',
    title: 'Windows',
    form: 'cer',
    steps: [
      'Download the certificate and open it.',
      'Install Certificate, Local Machine, Place all certificates in the following store: Trusted Root Certification Authorities.',
      'Or as administrator: `certutil -addstore -f Root yori-root.cer`',
    ],
    limits:
      'Programs such as Node, Python and Java have lists of their own: see Programs.',
  },
  {
    kind: 'linux',
    title: 'Linux and FreeBSD',
    form: 'pem',
    steps: [
      'Debian, Ubuntu: `sudo cp yori-root.pem /usr/local/share/ca-certificates/yori-root.crt && sudo update-ca-certificates`',
      'Fedora, RHEL: `sudo cp yori-root.pem /etc/pki/ca-trust/source/anchors/yori-root.pem && sudo update-ca-trust`',
      'FreeBSD: `sudo cp yori-root.pem /usr/local/etc/ssl/certs/yori-root.pem && sudo certctl rehash`',
      'Chromium and Chrome: `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n YORI -i yori-root.pem`, then start the browser anew.',
    ],
    limits: 'Firefox, Node, Python and Java have lists of their own: see below.',
  },
  {
    kind: 'firefox',
    title: 'Firefox',
    form: 'pem',
    steps: [
      'Windows, macOS, Android: Firefox follows the system (Settings, Privacy & Security, Allow Firefox to automatically trust third-party root certificates you install).',
      'Elsewhere: Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import, choose the file, Trust this CA to identify websites.',
    ],
  },
  {
    kind: 'chromeos',
    title: 'ChromeOS',
    form: 'pem',
    steps: [
      'Download the certificate.',
      'Open `chrome://certificate-manager` (or Settings, Privacy and security, Security, Manage certificates).',
      'Under Authorities, or Local certificates, Custom: Import, choose the file, Trust this certificate for identifying websites.',
    ],
    limits: 'Android apps and Linux on the same device have lists of their own.',
  },
  {
    kind: 'program',
    title: 'Programs and terminals',
    form: 'pem',
    steps: [
      'On the machine where YORI runs: `yori exec -- COMMAND` sets proxy and trust for one program, `yori ca export --install` makes this machine trust the root.',
      'Elsewhere: Node and Deno take `NODE_EXTRA_CA_CERTS=yori-root.pem`, curl `--cacert yori-root.pem`; Python, Go, Git and the AWS tools want a file with the public roots as well: `yori ca export --format bundle`.',
      'Java: `yori ca export --format p12` makes a trust store.',
    ],
  },
]

export function stepsFor(kind: DeviceKind): TrustSteps {
  const found = TRUST_STEPS.find((steps) => steps.kind === kind)
  if (found === undefined) throw new RangeError(kind)
  return found
}
