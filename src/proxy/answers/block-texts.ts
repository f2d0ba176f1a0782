/**
 * What the block page says, in each of its languages, in words that a child understands. Plain
 * text; the page escapes it. Pure data, and which language a reader wants.
 */

export const LANGUAGES = ['en', 'de', 'es', 'fr'] as const
export type Language = (typeof LANGUAGES)[number]

export interface BlockTexts {
  readonly title: string
  /** Of a policy that nobody here knows. */
  readonly rule: string
  /** `TIME` is when. */
  readonly opens: string
  /** `CODE` is shown in its place, set apart. */
  readonly code: string
  /** The button that asks, and what is said afterwards. */
  readonly ask: string
  readonly asked: string
  /** The token is over, or another device's. */
  readonly stale: string
  readonly again: string
  /** What became of a password or a PIN. */
  readonly granted: string
  readonly once: string
  readonly wrong: string
  readonly limited: string
  readonly off: string
  readonly foreign: string
  readonly unread: string
  readonly password: string
  readonly allow: string
  readonly details: string
  readonly policy: string
  readonly reason: string
  readonly service: string
  readonly device: string
  readonly time: string
  readonly request: string
  readonly mistake: string
  /** By policy. */
  readonly why: Readonly<Record<string, string>>
}

const EN: BlockTexts = {
  title: 'Request Blocked by YORI',
  rule: 'A rule of this network stopped it.',
  opens: 'It opens again at TIME.',
  code: 'An adult can allow it: the code is CODE.',
  ask: 'Ask',
  asked: 'They can see now that you asked. Try again when somebody has said yes.',
  stale: 'This page is too old: load it anew.',
  again: 'Try again',
  granted: 'Allowed for a while.',
  once: 'Allowed once: the next try passes.',
  wrong: 'That is not right.',
  limited: 'Too many attempts. Wait, or ask an adult to approve it.',
  off: 'Passwords are not taken here.',
  foreign: 'This form was sent from another site.',
  unread: 'The form could not be read.',
  password: 'Password or PIN of an adult',
  allow: 'Allow',
  details: 'Details',
  policy: 'Policy',
  reason: 'Reason',
  service: 'Service',
  device: 'Device',
  time: 'Time',
  request: 'Request ID',
  mistake:
    'Is this a mistake? Please contact your network administrator and give the request ID.',
  why: {
    default: 'Requests to AI services are not allowed here at the moment.',
    pause: 'Somebody at home has paused AI services on this device for a while.',
    person_limits: 'Your time with AI services is over for now.',
    session_stop: 'Somebody at home has ended this conversation.',
    bedtime: 'AI services are closed at night.',
    time_rules: 'AI services are closed at this time.',
    secrets:
      'The request seems to hold a password or a key, which is not to leave this network.',
    injection:
      'Something in the request looks like an order to the model that nobody here gave.',
    privacy:
      'The request seems to hold personal data, which is not to leave this network.',
    rate_limit: 'There have been too many requests. Try again later.',
    hourly_quota: 'There have been too many requests. Try again later.',
    high_usage: 'There have been too many requests. Try again later.',
    daily_allowance:
      'What is allowed for one day has been used up. It begins anew tomorrow.',
    budget: 'What may be spent on AI services has been spent.',
    cost_limit: 'What may be spent on AI services has been spent.',
    content_filter: 'What was asked is not allowed here.',
    parental: 'What was asked is not for this device.',
    homework_helper: 'AI services are not to do homework at this time.',
    prompt_length: 'What was asked is too long.',
    tool_guard: 'The application offers the model a tool that is not allowed here.',
    destructive_tools: 'The application wants to do something that cannot be undone.',
    mcp_guard: 'The application calls a tool that is not to be called here, or not yet.',
    agent_governor: 'The application has gone on for longer than it may by itself.',
    model_allowlist: 'This model is not among those that are allowed here.',
    uninspectable: 'The request could not be checked, so it was not sent.',
  },
}

const DE: BlockTexts = {
  title: 'Anfrage von YORI angehalten',
  rule: 'Eine Regel dieses Netzes hat sie angehalten.',
  opens: 'Um TIME geht es wieder.',
  code: 'Ein Erwachsener kann es erlauben: der Code ist CODE.',
  ask: 'Fragen',
  asked: 'Deine Frage ist da. Versuch es noch einmal, wenn jemand ja gesagt hat.',
  stale: 'Diese Seite ist zu alt: lade sie neu.',
  again: 'Noch einmal versuchen',
  granted: 'Für eine Weile erlaubt.',
  once: 'Einmal erlaubt: der nächste Versuch geht durch.',
  wrong: 'Das stimmt nicht.',
  limited: 'Zu viele Versuche. Warte, oder bitte einen Erwachsenen, es zu erlauben.',
  off: 'Passwörter gelten hier nicht.',
  foreign: 'Dieses Formular kam von einer anderen Seite.',
  unread: 'Das Formular war nicht zu lesen.',
  password: 'Passwort oder PIN eines Erwachsenen',
  allow: 'Erlauben',
  details: 'Einzelheiten',
  policy: 'Regel',
  reason: 'Grund',
  service: 'Dienst',
  device: 'Gerät',
  time: 'Zeit',
  request: 'Nummer der Anfrage',
  mistake: 'Ein Irrtum? Sag es dem, der das Netz betreut, mit der Nummer der Anfrage.',
  why: {
    default: 'Anfragen an KI-Dienste sind hier im Moment nicht erlaubt.',
    pause: 'Jemand zu Hause hat KI-Dienste auf diesem Gerät für eine Weile angehalten.',
    person_limits: 'Deine Zeit mit KI-Diensten ist fürs Erste vorbei.',
    session_stop: 'Jemand zu Hause hat dieses Gespräch beendet.',
    bedtime: 'KI-Dienste sind nachts geschlossen.',
    time_rules: 'KI-Dienste sind um diese Zeit geschlossen.',
    secrets:
      'Die Anfrage scheint ein Passwort oder einen Schlüssel zu enthalten, die dieses Netz nicht verlassen sollen.',
    injection:
      'Etwas in der Anfrage sieht nach einem Befehl an das Modell aus, den hier niemand gegeben hat.',
    privacy:
      'Die Anfrage enthält wohl persönliche Daten, die dieses Netz nicht verlassen sollen.',
    rate_limit: 'Das waren zu viele Anfragen. Versuch es später noch einmal.',
    hourly_quota: 'Das waren zu viele Anfragen. Versuch es später noch einmal.',
    high_usage: 'Das waren zu viele Anfragen. Versuch es später noch einmal.',
    daily_allowance:
      'Was für einen Tag erlaubt ist, ist verbraucht. Morgen geht es weiter.',
    budget: 'Das Geld für KI-Dienste ist verbraucht.',
    cost_limit: 'Das Geld für KI-Dienste ist verbraucht.',
    content_filter: 'Was gefragt wurde, ist hier nicht erlaubt.',
    parental: 'Was gefragt wurde, ist nichts für dieses Gerät.',
    homework_helper: 'KI-Dienste sollen um diese Zeit keine Hausaufgaben machen.',
    prompt_length: 'Was gefragt wurde, ist zu lang.',
    tool_guard:
      'Das Programm bietet dem Modell ein Werkzeug an, das hier nicht erlaubt ist.',
    destructive_tools:
      'Das Programm will etwas tun, das sich nicht rückgängig machen lässt.',
    mcp_guard:
      'Das Programm ruft ein Werkzeug auf, das hier nicht oder noch nicht aufgerufen werden darf.',
    agent_governor: 'Das Programm ist länger allein weitergelaufen, als es darf.',
    model_allowlist: 'Dieses Modell ist hier nicht erlaubt.',
    uninspectable: 'Die Anfrage konnte nicht geprüft werden und wurde nicht gesendet.',
  },
}

const ES: BlockTexts = {
  title: 'Petición detenida por YORI',
  rule: 'Una regla de esta red la ha detenido.',
  opens: 'Vuelve a abrir a las TIME.',
  code: 'Un adulto puede permitirlo: el código es CODE.',
  ask: 'Preguntar',
  asked: 'Ya ven que has preguntado. Inténtalo de nuevo cuando alguien diga que sí.',
  stale: 'Esta página es demasiado antigua: cárgala de nuevo.',
  again: 'Intentar de nuevo',
  granted: 'Permitido por un rato.',
  once: 'Permitido una vez: el próximo intento pasa.',
  wrong: 'No es correcto.',
  limited: 'Demasiados intentos. Espera, o pide a un adulto que lo permita.',
  off: 'Aquí no se aceptan contraseñas.',
  foreign: 'Este formulario vino de otro sitio.',
  unread: 'No se ha podido leer el formulario.',
  password: 'Contraseña o PIN de un adulto',
  allow: 'Permitir',
  details: 'Detalles',
  policy: 'Regla',
  reason: 'Motivo',
  service: 'Servicio',
  device: 'Dispositivo',
  time: 'Hora',
  request: 'Número de la petición',
  mistake: '¿Es un error? Avisa a quien cuida de la red y dale el número de la petición.',
  why: {
    default: 'Ahora mismo no se permiten aquí peticiones a servicios de IA.',
    pause: 'Alguien en casa ha puesto en pausa la IA en este dispositivo por un rato.',
    person_limits: 'Tu tiempo con la IA se ha acabado por ahora.',
    session_stop: 'Alguien en casa ha terminado esta conversación.',
    bedtime: 'La IA está cerrada por la noche.',
    time_rules: 'La IA está cerrada a esta hora.',
    secrets:
      'La petición parece contener una contraseña o una clave, que no debe salir de esta red.',
    injection:
      'Algo en la petición parece una orden al modelo que nadie de aquí ha dado.',
    privacy:
      'La petición parece llevar datos personales, que no deben salir de esta red.',
    rate_limit: 'Ha habido demasiadas peticiones. Inténtalo más tarde.',
    hourly_quota: 'Ha habido demasiadas peticiones. Inténtalo más tarde.',
    high_usage: 'Ha habido demasiadas peticiones. Inténtalo más tarde.',
    daily_allowance:
      'Se ha gastado lo que se permite en un día. Mañana empieza de nuevo.',
    budget: 'Se ha gastado el dinero para la IA.',
    cost_limit: 'Se ha gastado el dinero para la IA.',
    content_filter: 'Lo que se ha preguntado no se permite aquí.',
    parental: 'Lo que se ha preguntado no es para este dispositivo.',
    homework_helper: 'A esta hora la IA no debe hacer los deberes.',
    prompt_length: 'Lo que se ha preguntado es demasiado largo.',
    tool_guard: 'El programa ofrece al modelo una herramienta que no se permite aquí.',
    destructive_tools: 'La aplicación quiere hacer algo que no se puede deshacer.',
    mcp_guard:
      'El programa llama a una herramienta que aquí no se permite, o todavía no.',
    agent_governor: 'El programa ha seguido solo más tiempo del que puede.',
    model_allowlist: 'Este modelo no está entre los permitidos aquí.',
    uninspectable: 'No se pudo revisar la petición, y no se envió.',
  },
}

const FR: BlockTexts = {
  title: 'Demande arrêtée par YORI',
  rule: 'Une règle de ce réseau l’a arrêtée.',
  opens: 'Cela rouvre à TIME.',
  code: 'Un adulte peut le permettre : le code est CODE.',
  ask: 'Demander',
  asked: 'Ta demande est arrivée. Réessaie quand quelqu’un aura dit oui.',
  stale: 'Cette page est trop ancienne : recharge-la.',
  again: 'Réessayer',
  granted: 'Permis pour un moment.',
  once: 'Permis une fois : le prochain essai passera.',
  wrong: 'Ce n’est pas juste.',
  limited: 'Trop d’essais. Attends, ou demande à un adulte de le permettre.',
  off: 'Les mots de passe ne sont pas acceptés ici.',
  foreign: 'Ce formulaire vient d’un autre site.',
  unread: 'Le formulaire n’a pas pu être lu.',
  password: 'Mot de passe ou code d’un adulte',
  allow: 'Permettre',
  details: 'Détails',
  policy: 'Règle',
  reason: 'Raison',
  service: 'Service',
  device: 'Appareil',
  time: 'Heure',
  request: 'Numéro de la demande',
  mistake:
    'Une erreur ? Dites-le à la personne qui s’occupe du réseau, avec le numéro de la demande.',
  why: {
    default: 'Les demandes aux services d’IA ne sont pas permises ici en ce moment.',
    pause: 'Quelqu’un à la maison a mis l’IA en pause sur cet appareil pour un moment.',
    person_limits: 'Ton temps avec l’IA est fini pour l’instant.',
    session_stop: 'Quelqu’un à la maison a mis fin à cette conversation.',
    bedtime: 'L’IA est fermée la nuit.',
    time_rules: 'L’IA est fermée à cette heure.',
    secrets:
      'La demande semble contenir un mot de passe ou une clé, qui ne doit pas quitter ce réseau.',
    injection:
      'Quelque chose dans la demande ressemble à un ordre au modèle que personne ici n’a donné.',
    privacy:
      'La demande semble contenir des données personnelles, qui ne doivent pas quitter ce réseau.',
    rate_limit: 'Il y a eu trop de demandes. Réessaie plus tard.',
    hourly_quota: 'Il y a eu trop de demandes. Réessaie plus tard.',
    high_usage: 'Il y a eu trop de demandes. Réessaie plus tard.',
    daily_allowance: 'Ce qui est permis pour un jour est épuisé. Cela recommence demain.',
    budget: 'L’argent prévu pour l’IA est dépensé.',
    cost_limit: 'L’argent prévu pour l’IA est dépensé.',
    content_filter: 'Ce qui a été demandé n’est pas permis ici.',
    parental: 'Ce qui a été demandé n’est pas pour cet appareil.',
    homework_helper: 'À cette heure, l’IA ne doit pas faire les devoirs.',
    prompt_length: 'Ce qui a été demandé est trop long.',
    tool_guard: 'Le programme offre au modèle un outil qui n’est pas permis ici.',
    destructive_tools: 'Le programme veut faire quelque chose d’irréversible.',
    mcp_guard: 'Le programme appelle un outil qui n’est pas permis ici, ou pas encore.',
    agent_governor: 'Le programme a continué seul plus longtemps qu’il ne peut.',
    model_allowlist: 'Ce modèle n’est pas parmi ceux qui sont permis ici.',
    uninspectable: 'La demande n’a pas pu être vérifiée, elle n’a donc pas été envoyée.',
  },
}

export const BLOCK_TEXTS: Readonly<Record<Language, BlockTexts>> = {
  en: EN,
  de: DE,
  es: ES,
  fr: FR,
}

/** Longer fields are no list of languages of a person. */
const MAX_FIELD = 256

/** By `Accept-Language`, RFC 9110 §12.5.4: the most wanted of ours; English where none is. */
export function languageOf(field: string | undefined): Language {
  if (field === undefined || field.length > MAX_FIELD) return 'en'
  const wanted = field.split(',').map((part, index) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim())
    const quality = parameters.find((one) => one.startsWith('q='))?.slice(2)
    return { range: range.toLowerCase(), q: Number(quality ?? 1), index }
  })
  const sorted = wanted
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q || a.index - b.index)
  for (const { range } of sorted) {
    const found = LANGUAGES.find((one) => range === one || range.startsWith(`${one}-`))
    if (found !== undefined) return found
  }
  return 'en'
}
