/**
 * The steps by which each kind of device comes to trust a root, and what it then still does
 * not do, in each language of the block page; commands are the same in all. Plain text; `code`
 * between back-ticks. Pure data.
 */
import type { Language } from '../answers/block-texts.js'
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

const DEBIAN =
  'Debian, Ubuntu: `sudo cp yori-root.pem /usr/local/share/ca-certificates/yori-root.crt && sudo update-ca-certificates`'
const FEDORA =
  'Fedora, RHEL: `sudo cp yori-root.pem /etc/pki/ca-trust/source/anchors/yori-root.pem && sudo update-ca-trust`'
const FREEBSD =
  'FreeBSD: `sudo cp yori-root.pem /usr/local/etc/ssl/certs/yori-root.pem && sudo certctl rehash`'

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
      DEBIAN,
      FEDORA,
      FREEBSD,
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

/** What another language puts in the place of a device's words. */
type StepWords = Pick<TrustSteps, 'title' | 'steps' | 'aside' | 'limits'>

const MAC_COMMAND =
  '`sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain yori-root.cer`'
const NSS_COMMAND =
  '`certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n YORI -i yori-root.pem`'

const DE: Readonly<Record<DeviceKind, StepWords>> = {
  ios: {
    title: 'iPhone und iPad',
    steps: [
      'Öffne diese Seite in Safari, lade das Profil und erlaube es.',
      'Öffne die Einstellungen. Tippe weit oben auf „Profil geladen“ (oder Allgemein, VPN und Geräteverwaltung), dann auf Installieren.',
      'Öffne Einstellungen, Allgemein, Info, Zertifikatsvertrauenseinstellungen (ganz unten) und schalte dort das volle Vertrauen für die Wurzel ein. Ohne diesen Schalter ist sie installiert, und nichts vertraut ihr.',
    ],
    limits:
      'Apps, die nur ihre eigenen Zertifikate annehmen, laufen weiter wie bisher: YORI lässt sie unberührt.',
  },
  android: {
    title: 'Android',
    steps: [
      'Lade das Zertifikat.',
      'Öffne die Einstellungen und suche nach „CA-Zertifikat“ (meist unter Sicherheit, Weitere Sicherheitseinstellungen, Vom Gerätespeicher installieren).',
      'Wähle CA-Zertifikat, Trotzdem installieren und die geladene Datei.',
    ],
    aside:
      'Nur in Firefox: Einstellungen, Über Firefox, fünfmal auf das Logo tippen, dann in den Einstellungen unter Secret Settings die CA-Zertifikate Dritter erlauben.',
    limits:
      'Android lässt Browser es verwenden, aber die meisten Apps vertrauen nur der eingebauten Liste: ihr Verkehr geht unberührt durch YORI und wird so gezählt.',
  },
  macos: {
    title: 'Mac',
    steps: [
      'Lade das Profil und öffne es.',
      'Öffne Systemeinstellungen, Allgemein, Geräteverwaltung (früher: Datenschutz & Sicherheit, Profile), wähle das Profil und Installieren.',
      `Oder in einem Terminal, mit der .cer-Datei: ${MAC_COMMAND}`,
    ],
    limits: 'Programme wie Node, Python und Java haben eigene Listen: siehe Programme.',
  },
  windows: {
    title: 'Windows',
    steps: [
      'Lade das Zertifikat und öffne es.',
      'Zertifikat installieren, Lokaler Computer, Alle Zertifikate in folgendem Speicher speichern: Vertrauenswürdige Stammzertifizierungsstellen.',
      'Oder als Administrator: `certutil -addstore -f Root yori-root.cer`',
    ],
    limits: 'Programme wie Node, Python und Java haben eigene Listen: siehe Programme.',
  },
  linux: {
    title: 'Linux und FreeBSD',
    steps: [
      ...[DEBIAN, FEDORA, FREEBSD],
      `Chromium und Chrome: ${NSS_COMMAND}, dann den Browser neu starten.`,
    ],
    limits: 'Firefox, Node, Python und Java haben eigene Listen: siehe unten.',
  },
  firefox: {
    title: 'Firefox',
    steps: [
      'Windows, macOS, Android: Firefox folgt dem System (Einstellungen, Datenschutz & Sicherheit, Firefox erlauben, installierten Stammzertifikaten Dritter automatisch zu vertrauen).',
      'Sonst: Einstellungen, Datenschutz & Sicherheit, Zertifikate, Zertifikate anzeigen, Zertifizierungsstellen, Importieren, die Datei wählen, ihr für Websites vertrauen.',
    ],
  },
  chromeos: {
    title: 'ChromeOS',
    steps: [
      'Lade das Zertifikat.',
      'Öffne `chrome://certificate-manager` (oder Einstellungen, Datenschutz und Sicherheit, Sicherheit, Zertifikate verwalten).',
      'Unter Zertifizierungsstellen, oder Lokale Zertifikate, Benutzerdefiniert: Importieren, die Datei wählen, ihr für Websites vertrauen.',
    ],
    limits: 'Android-Apps und Linux auf demselben Gerät haben eigene Listen.',
  },
  program: {
    title: 'Programme und Terminals',
    steps: [
      'Auf der Maschine, auf der YORI läuft: `yori exec -- COMMAND` setzt Proxy und Vertrauen für ein Programm, `yori ca export --install` lässt diese Maschine der Wurzel vertrauen.',
      'Sonst: Node und Deno nehmen `NODE_EXTRA_CA_CERTS=yori-root.pem`, curl `--cacert yori-root.pem`; Python, Go, Git und die Werkzeuge von AWS wollen eine Datei, in der auch die öffentlichen Wurzeln stehen: `yori ca export --format bundle`.',
      'Java: `yori ca export --format p12` macht einen Speicher dafür.',
    ],
  },
}

const ES: Readonly<Record<DeviceKind, StepWords>> = {
  ios: {
    title: 'iPhone y iPad',
    steps: [
      'Abre esta página en Safari, descarga el perfil y permítelo.',
      'Abre Ajustes. Toca «Perfil descargado» cerca del principio (o General, VPN y gestión de dispositivos) y luego Instalar.',
      'Abre Ajustes, General, Información, Ajustes de confianza de los certificados (al final del todo) y activa allí la confianza total en la raíz. Sin este interruptor está instalada, pero nada confía en ella.',
    ],
    limits:
      'Las apps que solo aceptan sus propios certificados siguen como antes: YORI las deja intactas.',
  },
  android: {
    title: 'Android',
    steps: [
      'Descarga el certificado.',
      'Abre Ajustes y busca «certificado de CA» (casi siempre en Seguridad, Más ajustes de seguridad, Instalar desde el almacenamiento).',
      'Elige Certificado de CA, Instalar de todos modos y el archivo descargado.',
    ],
    aside:
      'Solo en Firefox: Ajustes, Acerca de Firefox, toca cinco veces el logotipo; luego, en Secret Settings de los ajustes, permite los certificados de CA de terceros.',
    limits:
      'Android deja que lo usen los navegadores, pero la mayoría de las apps solo confían en la lista incorporada: su tráfico pasa intacto por YORI y así se cuenta.',
  },
  macos: {
    title: 'Mac',
    steps: [
      'Descarga el perfil y ábrelo.',
      'Abre Ajustes del Sistema, General, Gestión de dispositivos (antes: Privacidad y seguridad, Perfiles), elige el perfil e Instalar.',
      `O en un terminal, con el archivo .cer: ${MAC_COMMAND}`,
    ],
    limits:
      'Programas como Node, Python y Java tienen sus propias listas: mira en Programas.',
  },
  windows: {
    title: 'Windows',
    steps: [
      'Descarga el certificado y ábrelo.',
      'Instalar certificado, Equipo local, Colocar todos los certificados en el siguiente almacén: Entidades de certificación raíz de confianza.',
      'O como administrador: `certutil -addstore -f Root yori-root.cer`',
    ],
    limits:
      'Programas como Node, Python y Java tienen sus propias listas: mira en Programas.',
  },
  linux: {
    title: 'Linux y FreeBSD',
    steps: [
      ...[DEBIAN, FEDORA, FREEBSD],
      `Chromium y Chrome: ${NSS_COMMAND}, y después abre de nuevo el navegador.`,
    ],
    limits: 'Firefox, Node, Python y Java tienen sus propias listas: mira abajo.',
  },
  firefox: {
    title: 'Firefox',
    steps: [
      'Windows, macOS, Android: Firefox sigue al sistema (Ajustes, Privacidad y seguridad, permitir que Firefox confíe en los certificados raíz de terceros que instales).',
      'En otros: Ajustes, Privacidad y seguridad, Certificados, Ver certificados, Autoridades, Importar, elige el archivo y confía en él para identificar sitios web.',
    ],
  },
  chromeos: {
    title: 'ChromeOS',
    steps: [
      'Descarga el certificado.',
      'Abre `chrome://certificate-manager` (o Configuración, Privacidad y seguridad, Seguridad, Gestionar certificados).',
      'En Autoridades, o Certificados locales, Personalizados: Importar, elige el archivo y confía en él para identificar sitios web.',
    ],
    limits:
      'Las apps de Android y Linux en el mismo dispositivo tienen sus propias listas.',
  },
  program: {
    title: 'Programas y terminales',
    steps: [
      'En la máquina donde funciona YORI: `yori exec -- COMMAND` pone proxy y confianza para un programa, `yori ca export --install` hace que esta máquina confíe en la raíz.',
      'En otras: Node y Deno toman `NODE_EXTRA_CA_CERTS=yori-root.pem`, curl `--cacert yori-root.pem`; Python, Go, Git y las herramientas de AWS quieren un archivo que tenga también las raíces públicas: `yori ca export --format bundle`.',
      'Java: `yori ca export --format p12` hace un almacén de confianza.',
    ],
  },
}

const FR: Readonly<Record<DeviceKind, StepWords>> = {
  ios: {
    title: 'iPhone et iPad',
    steps: [
      'Ouvre cette page dans Safari, télécharge le profil et autorise-le.',
      'Ouvre Réglages. Touche « Profil téléchargé » vers le haut (ou Général, VPN et gestion de l’appareil), puis Installer.',
      'Ouvre Réglages, Général, Informations, Réglages de confiance des certificats (tout en bas) et active là la confiance totale pour la racine. Sans cet interrupteur elle est installée, mais rien ne lui fait confiance.',
    ],
    limits:
      'Les apps qui n’acceptent que leurs propres certificats continuent comme avant : YORI les laisse intactes.',
  },
  android: {
    title: 'Android',
    steps: [
      'Télécharge le certificat.',
      'Ouvre Paramètres et cherche « certificat CA » (le plus souvent dans Sécurité, Autres paramètres de sécurité, Installer depuis la mémoire de l’appareil).',
      'Choisis Certificat CA, Installer quand même et le fichier téléchargé.',
    ],
    aside:
      'Seulement dans Firefox : Paramètres, À propos de Firefox, touche cinq fois le logo ; puis, dans Secret Settings des paramètres, permets les certificats CA tiers.',
    limits:
      'Android laisse les navigateurs s’en servir, mais la plupart des apps ne se fient qu’à la liste intégrée : leur trafic passe intact par YORI et est compté ainsi.',
  },
  macos: {
    title: 'Mac',
    steps: [
      'Télécharge le profil et ouvre-le.',
      'Ouvre Réglages Système, Général, Gestion des appareils (avant : Confidentialité et sécurité, Profils), choisis le profil et Installer.',
      `Ou dans un terminal, avec le fichier .cer : ${MAC_COMMAND}`,
    ],
    limits:
      'Les programmes comme Node, Python et Java ont leurs propres listes : voir Programmes.',
  },
  windows: {
    title: 'Windows',
    steps: [
      'Télécharge le certificat et ouvre-le.',
      'Installer le certificat, Ordinateur local, Placer tous les certificats dans le magasin suivant : Autorités de certification racines de confiance.',
      'Ou comme administrateur : `certutil -addstore -f Root yori-root.cer`',
    ],
    limits:
      'Les programmes comme Node, Python et Java ont leurs propres listes : voir Programmes.',
  },
  linux: {
    title: 'Linux et FreeBSD',
    steps: [
      ...[DEBIAN, FEDORA, FREEBSD],
      `Chromium et Chrome : ${NSS_COMMAND}, puis relance le navigateur.`,
    ],
    limits: 'Firefox, Node, Python et Java ont leurs propres listes : voir plus bas.',
  },
  firefox: {
    title: 'Firefox',
    steps: [
      'Windows, macOS, Android : Firefox suit le système (Paramètres, Vie privée et sécurité, permettre à Firefox de se fier aux certificats racines tiers installés).',
      'Ailleurs : Paramètres, Vie privée et sécurité, Certificats, Afficher les certificats, Autorités, Importer, choisis le fichier et fais-lui confiance pour identifier des sites web.',
    ],
  },
  chromeos: {
    title: 'ChromeOS',
    steps: [
      'Télécharge le certificat.',
      'Ouvre `chrome://certificate-manager` (ou Paramètres, Confidentialité et sécurité, Sécurité, Gérer les certificats).',
      'Dans Autorités, ou Certificats locaux, Personnalisés : Importer, choisis le fichier et fais-lui confiance pour identifier des sites web.',
    ],
    limits: 'Les apps Android et Linux sur le même appareil ont leurs propres listes.',
  },
  program: {
    title: 'Programmes et terminaux',
    steps: [
      'Sur la machine où YORI fonctionne : `yori exec -- COMMAND` règle proxy et confiance pour un programme, `yori ca export --install` fait que cette machine se fie à la racine.',
      'Ailleurs : Node et Deno prennent `NODE_EXTRA_CA_CERTS=yori-root.pem`, curl `--cacert yori-root.pem` ; Python, Go, Git et les outils d’AWS veulent un fichier avec aussi les racines publiques : `yori ca export --format bundle`.',
      'Java : `yori ca export --format p12` fait un magasin de confiance.',
    ],
  },
}

/** Of all kinds, in one language, in the order in which the page shows them. */
export const STEPS_BY_LANGUAGE: Readonly<Record<Language, readonly TrustSteps[]>> = {
  en: TRUST_STEPS,
  de: TRUST_STEPS.map(({ kind, form }) => ({ kind, form, ...DE[kind] })),
  es: TRUST_STEPS.map(({ kind, form }) => ({ kind, form, ...ES[kind] })),
  fr: TRUST_STEPS.map(({ kind, form }) => ({ kind, form, ...FR[kind] })),
}

export function stepsFor(kind: DeviceKind, language: Language = 'en'): TrustSteps {
  const found = STEPS_BY_LANGUAGE[language].find((steps) => steps.kind === kind)
  if (found === undefined) throw new RangeError(kind)
  return found
}
