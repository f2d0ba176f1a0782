/**
 * What the trust page says around its steps, in each language of the block page. Plain text with
 * `code` between back-ticks; the page escapes it. Words in capitals are put in: `NAMES`, `NAME`,
 * `WHEN`, `URL`, `WHY`. Pure data.
 */
import type { Language } from '../answers/block-texts.js'

export interface TrustTexts {
  readonly title: string
  readonly intro: string
  /** What the certificate can vouch for: with name constraints, and without. */
  readonly constrained: string
  readonly unconstrained: string
  readonly seenAs: string
  readonly unseen: string
  readonly here: string
  readonly firefox: string
  readonly compare: string
  readonly another: string
  readonly others: string
  readonly download: string
  readonly or: string
  readonly sha256: string
  readonly compareWith: string
  readonly noTest: string
  readonly about: string
  readonly button: string
  readonly scriptless: string
  readonly staged: string
  readonly takesOver: string
  readonly takesOverSoon: string
  readonly compareNext: string
  readonly unreachable: string
  readonly scan: string
  readonly qr: string
  readonly pac: string
  /** The page of the test without JavaScript. */
  readonly works: string
  readonly worksFor: string
  readonly back: string
  /** What the script shows, by how the test ended. */
  readonly script: Readonly<
    Record<'testing' | 'trusted' | 'other' | 'old' | 'lost', string>
  >
  /** What YORI itself saw of a test; `WHY` is a word of the record. */
  readonly seen: Readonly<
    Record<
      | 'none'
      | 'nothing'
      | 'refused'
      | 'passed'
      | 'answered'
      | 'nothingToTest'
      | 'nextNotAtHand',
      string
    >
  >
}

const EN: TrustTexts = {
  title: 'Trust YORI on this device',
  intro:
    'YORI shows this household what its devices ask AI services, and keeps the limits that were set. For that, this device has to trust YORI’s certificate.',
  constrained:
    'It can vouch for AI services and this household’s own names alone: banks, mail and all other sites are out of its reach.',
  unconstrained:
    'Without name constraints, as it was set up here, it could vouch for any site.',
  seenAs: 'YORI sees this device as NAMES.',
  unseen: 'YORI does not know this device yet.',
  here: 'On this device: NAME',
  firefox: 'And in Firefox',
  compare: 'Compare the fingerprint',
  another: 'Another device',
  others: 'Other systems',
  download: 'Download',
  or: 'or',
  sha256: 'SHA-256 of the certificate:',
  compareWith:
    'Compare it with what the device shows before it trusts the certificate, and with `yori ca show` on the machine where YORI runs.',
  noTest:
    'There is nothing to test now: no service is switched on, or YORI’s certificates cannot be used at the moment and everything passes untouched.',
  about:
    'This asks `NAME`, a question that YORI answers itself: it shows whether this device is led through YORI and trusts it. The question carries a random number and nothing else.',
  button: 'Test now',
  scriptless:
    'Without JavaScript the answer opens as a page: “It works”, or a warning of the browser.',
  staged: 'A new certificate is on its way',
  takesOver:
    'It takes over on WHEN. Install it as well, in the same way; until then either is enough.',
  takesOverSoon:
    'It takes over soon. Install it as well, in the same way; until then either is enough.',
  compareNext: 'Compare its fingerprint',
  unreachable:
    'Other devices cannot open this page: YORI listens on no address of a private network. `listen` in its configuration changes that.',
  scan: 'Scan this, or open URL there.',
  qr: 'QR code of URL',
  pac: 'Automatic proxy configuration, for devices that are led here by a proxy: `URL`',
  works: 'It works',
  worksFor:
    'This device is led through YORI and trusts it: YORI itself answered in the name of NAME.',
  back: 'Go back to close this page.',
  script: {
    testing: 'Testing…',
    trusted: 'It works: this device is led through YORI and trusts it.',
    other: 'Something answered, but not this YORI: another one, or a site in its place.',
    old: 'This device trusts YORI by a connection that it opened before. Test again in a minute.',
    lost: 'YORI itself did not answer. Is this device still on the network?',
  },
  seen: {
    none: 'No test of this device is under way.',
    nothing:
      'YORI saw no connection: this device is not led through it. A VPN, mobile data, a private relay or a DNS of its own may go around it.',
    refused:
      'This device is led through YORI and does not trust its certificate yet (WHY). Follow the steps above, close the browser, and test again.',
    passed: 'This device is led through YORI, which left the connection untouched (WHY).',
    answered:
      'YORI answered, but the answer did not reach this page: a browser extension may be in the way.',
    nothingToTest: 'There is nothing to test now: no service is inspected.',
    nextNotAtHand:
      'The new certificate cannot be tested now: there is none, or its key is encrypted.',
  },
}

const DE: TrustTexts = {
  title: 'YORI auf diesem Gerät vertrauen',
  intro:
    'YORI zeigt diesem Haushalt, was seine Geräte KI-Dienste fragen, und hält die Grenzen ein, die gesetzt wurden. Dafür muss dieses Gerät dem Zertifikat von YORI vertrauen.',
  constrained:
    'Es gilt allein für KI-Dienste und die eigenen Namen dieses Haushalts: an Banken, Post und alle anderen Seiten kommt es nicht heran.',
  unconstrained:
    'So wie es hier eingerichtet ist, ohne Beschränkung auf Namen, könnte es für jede Seite gelten.',
  seenAs: 'YORI sieht dieses Gerät als NAMES.',
  unseen: 'YORI kennt dieses Gerät noch nicht.',
  here: 'Auf diesem Gerät: NAME',
  firefox: 'Und in Firefox',
  compare: 'Den Fingerabdruck vergleichen',
  another: 'Ein anderes Gerät',
  others: 'Andere Systeme',
  download: 'Laden:',
  or: 'oder',
  sha256: 'SHA-256 des Zertifikats:',
  compareWith:
    'Vergleiche ihn mit dem, was das Gerät zeigt, bevor es dem Zertifikat vertraut, und mit `yori ca show` auf der Maschine, auf der YORI läuft.',
  noTest:
    'Jetzt gibt es nichts zu prüfen: kein Dienst ist eingeschaltet, oder die Zertifikate von YORI sind gerade nicht zu gebrauchen und alles geht unberührt hindurch.',
  about:
    'Dies fragt `NAME` etwas, das YORI selbst beantwortet: es zeigt, ob dieses Gerät über YORI geht und ihm vertraut. Die Frage enthält eine Zufallszahl und sonst nichts.',
  button: 'Jetzt prüfen',
  scriptless:
    'Ohne JavaScript öffnet sich die Antwort als Seite: „Es klappt“, oder eine Warnung des Browsers.',
  staged: 'Ein neues Zertifikat kommt',
  takesOver:
    'Es gilt ab WHEN. Installiere es ebenso auf dieselbe Weise; bis dahin genügt eines von beiden.',
  takesOverSoon:
    'Es gilt bald. Installiere es ebenso auf dieselbe Weise; bis dahin genügt eines von beiden.',
  compareNext: 'Seinen Fingerabdruck vergleichen',
  unreachable:
    'Andere Geräte können diese Seite nicht öffnen: YORI lauscht an keiner Adresse eines privaten Netzes. `listen` in seiner Konfiguration ändert das.',
  scan: 'Scanne dies, oder öffne dort URL.',
  qr: 'QR-Code von URL',
  pac: 'Automatische Proxy-Konfiguration, für Geräte, die ein Proxy hierher führt: `URL`',
  works: 'Es klappt',
  worksFor:
    'Dieses Gerät geht über YORI und vertraut ihm: YORI selbst hat im Namen von NAME geantwortet.',
  back: 'Geh zurück, um diese Seite zu schließen.',
  script: {
    testing: 'Wird geprüft …',
    trusted: 'Es klappt: dieses Gerät geht über YORI und vertraut ihm.',
    other:
      'Etwas hat geantwortet, aber nicht dieses YORI: ein anderes, oder eine Seite an seiner Stelle.',
    old: 'Dieses Gerät vertraut YORI über eine ältere Verbindung. Prüfe in einer Minute noch einmal.',
    lost: 'YORI selbst hat nicht geantwortet. Ist dieses Gerät noch im Netz?',
  },
  seen: {
    none: 'Für dieses Gerät läuft keine Prüfung.',
    nothing:
      'YORI hat keine Verbindung gesehen: dieses Gerät geht nicht über YORI. Ein VPN, mobile Daten, ein Privat-Relay oder ein eigenes DNS führt vielleicht daran vorbei.',
    refused:
      'Dieses Gerät geht über YORI und vertraut seinem Zertifikat noch nicht (WHY). Folge den Schritten oben, schließe den Browser und prüfe noch einmal.',
    passed:
      'Dieses Gerät geht über YORI, das die Verbindung unberührt gelassen hat (WHY).',
    answered:
      'YORI hat geantwortet, aber die Antwort kam nicht bis zu dieser Seite: vielleicht steht eine Erweiterung des Browsers im Weg.',
    nothingToTest: 'Jetzt gibt es nichts zu prüfen: kein Dienst wird eingesehen.',
    nextNotAtHand:
      'Das neue Zertifikat ist jetzt nicht zu prüfen: es gibt keines, oder sein Schlüssel ist verschlüsselt.',
  },
}

const ES: TrustTexts = {
  title: 'Confiar en YORI en este dispositivo',
  intro:
    'YORI muestra a este hogar qué preguntan sus dispositivos a los servicios de IA y mantiene los límites que se fijaron. Para eso, este dispositivo tiene que confiar en el certificado de YORI.',
  constrained:
    'Solo vale para servicios de IA y los nombres propios de este hogar: bancos, correo y todos los demás sitios quedan fuera de su alcance.',
  unconstrained:
    'Tal como se configuró aquí, sin restricción de nombres, podría valer para cualquier sitio.',
  seenAs: 'YORI ve este dispositivo como NAMES.',
  unseen: 'YORI aún no conoce este dispositivo.',
  here: 'En este dispositivo: NAME',
  firefox: 'Y en Firefox',
  compare: 'Comparar la huella digital',
  another: 'Otro dispositivo',
  others: 'Otros sistemas',
  download: 'Descargar',
  or: 'o',
  sha256: 'SHA-256 del certificado:',
  compareWith:
    'Compárala con la que muestra el dispositivo antes de confiar en el certificado, y con `yori ca show` en la máquina donde funciona YORI.',
  noTest:
    'Ahora no hay nada que probar: ningún servicio está activado, o los certificados de YORI no se pueden usar en este momento y todo pasa intacto.',
  about:
    'Esto pregunta a `NAME` algo que YORI responde por sí mismo: muestra si este dispositivo pasa por YORI y confía en él. La pregunta lleva un número al azar y nada más.',
  button: 'Probar ahora',
  scriptless:
    'Sin JavaScript la respuesta se abre como página: «Funciona», o un aviso del navegador.',
  staged: 'Viene un certificado nuevo',
  takesOver:
    'Entra en uso el WHEN. Instálalo también, del mismo modo; hasta entonces basta con uno de los dos.',
  takesOverSoon:
    'Entra en uso pronto. Instálalo también, del mismo modo; hasta entonces basta con uno de los dos.',
  compareNext: 'Comparar su huella digital',
  unreachable:
    'Otros dispositivos no pueden abrir esta página: YORI no escucha en ninguna dirección de una red privada. `listen` en su configuración lo cambia.',
  scan: 'Escanea esto, o abre allí URL.',
  qr: 'Código QR de URL',
  pac: 'Configuración automática de proxy, para dispositivos que llegan por un proxy: `URL`',
  works: 'Funciona',
  worksFor:
    'Este dispositivo pasa por YORI y confía en él: el propio YORI respondió en nombre de NAME.',
  back: 'Vuelve atrás para cerrar esta página.',
  script: {
    testing: 'Probando…',
    trusted: 'Funciona: este dispositivo pasa por YORI y confía en él.',
    other: 'Algo respondió, pero no este YORI: otro, o un sitio en su lugar.',
    old: 'Este dispositivo confía en YORI por una conexión que abrió antes. Prueba otra vez en un minuto.',
    lost: 'El propio YORI no respondió. ¿Sigue este dispositivo en la red?',
  },
  seen: {
    none: 'No hay ninguna prueba de este dispositivo en curso.',
    nothing:
      'YORI no vio ninguna conexión: este dispositivo no pasa por él. Una VPN, los datos móviles, un relay privado o un DNS propio pueden rodearlo.',
    refused:
      'Este dispositivo pasa por YORI y aún no confía en su certificado (WHY). Sigue los pasos de arriba, cierra el navegador y prueba otra vez.',
    passed: 'Este dispositivo pasa por YORI, que dejó la conexión intacta (WHY).',
    answered:
      'YORI respondió, pero la respuesta no llegó a esta página: quizá la frena una extensión del navegador.',
    nothingToTest: 'Ahora no hay nada que probar: no se inspecciona ningún servicio.',
    nextNotAtHand:
      'El certificado nuevo no se puede probar ahora: no hay ninguno, o su clave está cifrada.',
  },
}

const FR: TrustTexts = {
  title: 'Faire confiance à YORI sur cet appareil',
  intro:
    'YORI montre à ce foyer ce que ses appareils demandent aux services d’IA et tient les limites qui ont été fixées. Pour cela, cet appareil doit faire confiance au certificat de YORI.',
  constrained:
    'Il ne vaut que pour les services d’IA et les noms propres à ce foyer : banques, courrier et tous les autres sites sont hors de sa portée.',
  unconstrained:
    'Tel qu’il a été réglé ici, sans contrainte de noms, il pourrait valoir pour tout site.',
  seenAs: 'YORI voit cet appareil comme NAMES.',
  unseen: 'YORI ne connaît pas encore cet appareil.',
  here: 'Sur cet appareil : NAME',
  firefox: 'Et dans Firefox',
  compare: 'Comparer l’empreinte',
  another: 'Un autre appareil',
  others: 'Autres systèmes',
  download: 'Télécharger',
  or: 'ou',
  sha256: 'SHA-256 du certificat :',
  compareWith:
    'Compare-la avec celle que l’appareil montre avant de faire confiance au certificat, et avec `yori ca show` sur la machine où YORI fonctionne.',
  noTest:
    'Il n’y a rien à tester maintenant : aucun service n’est activé, ou les certificats de YORI ne peuvent pas servir en ce moment et tout passe intact.',
  about:
    'Ceci pose à `NAME` une question à laquelle YORI répond lui-même : cela montre si cet appareil passe par YORI et lui fait confiance. La question porte un nombre au hasard et rien d’autre.',
  button: 'Tester maintenant',
  scriptless:
    'Sans JavaScript la réponse s’ouvre comme une page : « Cela marche », ou un avertissement du navigateur.',
  staged: 'Un nouveau certificat arrive',
  takesOver:
    'Il prend le relais le WHEN. Installe-le aussi, de la même façon ; d’ici là l’un ou l’autre suffit.',
  takesOverSoon:
    'Il prend bientôt le relais. Installe-le aussi, de la même façon ; d’ici là l’un ou l’autre suffit.',
  compareNext: 'Comparer son empreinte',
  unreachable:
    'D’autres appareils ne peuvent pas ouvrir cette page : YORI n’écoute sur aucune adresse d’un réseau privé. `listen` dans sa configuration le change.',
  scan: 'Scanne ceci, ou ouvre URL là-bas.',
  qr: 'Code QR de URL',
  pac: 'Configuration automatique du proxy, pour les appareils qu’un proxy amène ici : `URL`',
  works: 'Cela marche',
  worksFor:
    'Cet appareil passe par YORI et lui fait confiance : YORI lui-même a répondu au nom de NAME.',
  back: 'Reviens en arrière pour fermer cette page.',
  script: {
    testing: 'Test en cours…',
    trusted: 'Cela marche : cet appareil passe par YORI et lui fait confiance.',
    other: 'Quelque chose a répondu, mais pas ce YORI : un autre, ou un site à sa place.',
    old: 'Cet appareil fait confiance à YORI par une connexion ouverte auparavant. Teste de nouveau dans une minute.',
    lost: 'YORI lui-même n’a pas répondu. Cet appareil est-il encore sur le réseau ?',
  },
  seen: {
    none: 'Aucun test de cet appareil n’est en cours.',
    nothing:
      'YORI n’a vu aucune connexion : cet appareil ne passe pas par lui. Un VPN, les données mobiles, un relais privé ou un DNS à lui peuvent le contourner.',
    refused:
      'Cet appareil passe par YORI et ne fait pas encore confiance à son certificat (WHY). Suis les étapes ci-dessus, ferme le navigateur et teste de nouveau.',
    passed: 'Cet appareil passe par YORI, qui a laissé la connexion intacte (WHY).',
    answered:
      'YORI a répondu, mais la réponse n’est pas arrivée à cette page : une extension du navigateur la bloque peut-être.',
    nothingToTest: 'Il n’y a rien à tester maintenant : aucun service n’est inspecté.',
    nextNotAtHand:
      'Le nouveau certificat ne peut pas être testé maintenant : il n’y en a pas, ou sa clé est chiffrée.',
  },
}

export const TRUST_TEXTS: Readonly<Record<Language, TrustTexts>> = {
  en: EN,
  de: DE,
  es: ES,
  fr: FR,
}
