/** The texts of a report in the languages of households, and amounts as people say them. Pure. */
import type { Report } from './report.js'
import type { Topic } from './topics.js'

export const REPORT_LANGUAGES = ['en', 'de', 'es', 'fr'] as const
export type ReportLanguage = (typeof REPORT_LANGUAGES)[number]

type Line = readonly [en: string, de: string, es: string, fr: string]

const TEXTS = {
  title: ['AI at home', 'KI zu Hause', 'IA en casa', 'IA à la maison'],
  of: ['{name} and AI', '{name} und KI', '{name} y la IA', '{name} et l’IA'],
  who: ['Who', 'Wer', 'Quién', 'Qui'],
  time: ['Time', 'Zeit', 'Tiempo', 'Temps'],
  messages: ['Messages', 'Nachrichten', 'Mensajes', 'Messages'],
  services: ['Services', 'Dienste', 'Servicios', 'Services'],
  cost: ['Cost', 'Kosten', 'Coste', 'Coût'],
  budget: [
    'Budget of the month',
    'Monatsbudget',
    'Presupuesto del mes',
    'Budget du mois',
  ],
  refused: ['Refused', 'Abgelehnt', 'Rechazado', 'Refusé'],
  days: ['Day by day', 'Tag für Tag', 'Día a día', 'Jour par jour'],
  hours: ['At what time', 'Um welche Zeit', 'A qué hora', 'À quelle heure'],
  topics: ['About what', 'Worüber', 'Sobre qué', 'À propos de quoi'],
  topicsHow: [
    'By words in the beginnings of prompts; nobody and no model read them.',
    'Nach Wörtern am Anfang der Anfragen; niemand und kein Modell hat sie gelesen.',
    'Por palabras al principio de los mensajes; nadie ni ningún modelo los leyó.',
    'D’après les mots au début des messages ; personne, aucun modèle ne les a lus.',
  ],
  asked: ['Asked and answered', 'Gefragt und beantwortet', 'Preguntado', 'Demandé'],
  yes: ['allowed by {by}', 'erlaubt von {by}', 'permitido por {by}', 'permis par {by}'],
  no: ['refused by {by}', 'abgelehnt von {by}', 'rechazado por {by}', 'refusé par {by}'],
  times: ['{n} times', '{n}-mal', '{n} veces', '{n} fois'],
  oneTime: ['once', 'einmal', 'una vez', 'une fois'],
  notSeen: [
    'What was not seen',
    'Was nicht gesehen wurde',
    'Lo que no se vio',
    'Ce qui n’a pas été vu',
  ],
  seenOf: [
    'Since {since}: {seen} of {all} connections that passed here were read.',
    'Seit {since}: {seen} von {all} Verbindungen, die hier vorbeikamen, wurden gelesen.',
    'Desde {since}: se leyeron {seen} de {all} conexiones que pasaron por aquí.',
    'Depuis {since} : {seen} connexions sur {all} passées par ici ont été lues.',
  ],
  beyond: [
    'What does not pass here (mobile data, other networks, some VPNs) is in no count.',
    'Was nicht hier vorbeikommt (Mobilfunk, andere Netze, manche VPN), steht in keiner Zahl.',
    'Lo que no pasa por aquí (datos móviles, otras redes, algunas VPN) no está contado.',
    'Ce qui ne passe pas ici (réseau mobile, autres réseaux, certains VPN) n’est pas compté.',
  ],
  unread: [
    '{n} exchanges could not be read: {name}',
    '{n} Anfragen waren nicht lesbar: {name}',
    '{n} intercambios no se pudieron leer: {name}',
    '{n} échanges illisibles : {name}',
  ],
  dropped: [
    'The record had to leave out {n} entries.',
    'Das Protokoll musste {n} Einträge auslassen.',
    'El registro tuvo que omitir {n} entradas.',
    'Le journal a dû omettre {n} entrées.',
  ],
  cut: [
    'Shortened, since there was too much: {what}.',
    'Gekürzt, weil es zu viel war: {what}.',
    'Acortado porque había demasiado: {what}.',
    'Abrégé, car il y en avait trop : {what}.',
  ],
  nothing: [
    'Nobody asked an AI service.',
    'Niemand hat einen KI-Dienst gefragt.',
    'Nadie preguntó a un servicio de IA.',
    'Personne n’a interrogé un service d’IA.',
  ],
  none: ['nothing', 'nichts', 'nada', 'rien'],
  all: ['Together', 'Zusammen', 'En total', 'Ensemble'],
  unknownPrice: [
    'and {n} at an unknown price',
    'und {n} zu unbekanntem Preis',
    'y {n} a precio desconocido',
    'et {n} à prix inconnu',
  ],
  upTo: [
    'up to {more} more',
    'bis zu {more} mehr',
    'hasta {more} más',
    'jusqu’à {more} de plus',
  ],
  spent: [
    '{spent} of {usd} ({percent})',
    '{spent} von {usd} ({percent})',
    '{spent} de {usd} ({percent})',
    '{spent} sur {usd} ({percent})',
  ],
  how: [
    'Time is the minutes in which something was asked; messages are calls to a model.',
    'Zeit sind die Minuten, in denen etwas gefragt wurde; Nachrichten sind Anfragen an ein Modell.',
    'El tiempo son los minutos en que se preguntó algo; los mensajes, llamadas a un modelo.',
    'Le temps : les minutes où une question fut posée ; les messages : les appels à un modèle.',
  ],
  pinned: [
    'the app accepts only its own certificates',
    'die App nimmt nur eigene Zertifikate an',
    'la app solo acepta sus propios certificados',
    'l’app n’accepte que ses propres certificats',
  ],
  untrusted: [
    'the program or its device does not trust YORI yet',
    'das Programm oder sein Gerät vertraut YORI noch nicht',
    'el programa o su dispositivo aún no confía en YORI',
    'le programme ou son appareil ne fait pas encore confiance à YORI',
  ],
  elsewhere: [
    'no AI service that is read here',
    'kein KI-Dienst, der hier gelesen wird',
    'ningún servicio de IA que se lea aquí',
    'aucun service d’IA lu ici',
  ],
  exempt: [
    'an exempt device',
    'ein ausgenommenes Gerät',
    'un dispositivo exento',
    'un appareil exempté',
  ],
  hidden: [
    'the name was hidden or missing',
    'der Name war verborgen oder fehlte',
    'el nombre estaba oculto o faltaba',
    'le nom était caché ou absent',
  ],
  refusedThere: ['refused', 'abgelehnt', 'rechazado', 'refusé'],
  failedThere: ['failed', 'gescheitert', 'fallido', 'échoué'],
  school: ['school', 'Schule', 'colegio', 'école'],
  code: ['programming', 'Programmieren', 'programación', 'programmation'],
  writing: ['writing', 'Schreiben', 'escritura', 'écriture'],
  health: ['health', 'Gesundheit', 'salud', 'santé'],
  feelings: ['feelings and friends', 'Gefühle und Freunde', 'sentimientos', 'sentiments'],
  food: ['cooking', 'Kochen', 'cocina', 'cuisine'],
  travel: ['travel', 'Reisen', 'viajes', 'voyages'],
  games: ['games', 'Spiele', 'juegos', 'jeux'],
  pictures: ['pictures', 'Bilder', 'imágenes', 'images'],
  money: ['money', 'Geld', 'dinero', 'argent'],
  work: ['work', 'Arbeit', 'trabajo', 'travail'],
  music: ['music', 'Musik', 'música', 'musique'],
  sport: ['sport', 'Sport', 'deporte', 'sport'],
  home: ['house and garden', 'Haus und Garten', 'casa y jardín', 'maison et jardin'],
} satisfies Record<string, Line> & Record<Topic, Line>

export type ReportText = keyof typeof TEXTS

const MINUTES_AN_HOUR = 60

export class ReportWords {
  readonly language: ReportLanguage
  readonly #timezone: string
  readonly #at: number

  constructor(language: string, { timezone }: Pick<Report, 'timezone'>) {
    this.#at = Math.max(
      0,
      REPORT_LANGUAGES.findIndex((one) => one === language),
    )
    this.language = REPORT_LANGUAGES[this.#at] ?? 'en'
    this.#timezone = timezone
  }

  say(text: ReportText, values: Readonly<Record<string, string>> = {}): string {
    const line: Line = TEXTS[text]
    return (line[this.#at] ?? line[0]).replace(
      /\{(\w+)\}/g,
      (_, name: string) => values[name] ?? '',
    )
  }

  count(n: number): string {
    return new Intl.NumberFormat(this.language).format(n)
  }

  times(n: number): string {
    return n === 1 ? this.say('oneTime') : this.say('times', { n: this.count(n) })
  }

  /** `3 h 05 min`. */
  span(minutes: number): string {
    const hours = Math.floor(minutes / MINUTES_AN_HOUR)
    const rest = minutes % MINUTES_AN_HOUR
    if (hours === 0) return `${rest} min`
    return `${this.count(hours)} h ${String(rest).padStart(2, '0')} min`
  }

  /** Less than a cent is not nothing. */
  usd(amount: number): string {
    const format = new Intl.NumberFormat(this.language, {
      style: 'currency',
      currency: 'USD',
      currencyDisplay: 'narrowSymbol',
    })
    return amount > 0 && amount < 0.01
      ? `< ${format.format(0.01)}`
      : format.format(amount)
  }

  percent(share: number): string {
    const format = new Intl.NumberFormat(this.language, { style: 'percent' })
    return format.format(Number.isFinite(share) ? share : 0)
  }

  /** From the first day to the last. */
  range({ sinceMs, untilMs }: Pick<Report, 'sinceMs' | 'untilMs'>): string {
    return new Intl.DateTimeFormat(this.language, {
      dateStyle: 'long',
      timeZone: this.#timezone,
    }).formatRange(sinceMs, untilMs - 1)
  }

  moment(ms: number): string {
    return new Intl.DateTimeFormat(this.language, {
      ...{ weekday: 'short', day: 'numeric', month: 'short' },
      ...{ hour: '2-digit', minute: '2-digit', timeZone: this.#timezone },
    }).format(ms)
  }

  /** Of a local date, `YYYY-MM-DD`. */
  day(date: string): string {
    return new Intl.DateTimeFormat(this.language, {
      ...{ weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' },
    }).format(Date.parse(`${date}T12:00:00Z`))
  }
}
