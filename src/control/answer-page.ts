/**
 * What somebody sees who opens the link of an ask, in the languages of the dashboard: what was
 * refused and three buttons, or what became of it. One document without a script; pure.
 */
import { createHash } from 'node:crypto'
import { escaped } from '../core/html.js'
import { languageFor } from './pages.js'

type Line = readonly [en: string, de: string, es: string, fr: string]
const LANGUAGES = ['en', 'de', 'es', 'fr'] as const

const TEXTS = {
  asks: ['{who} asks', '{who} fragt', '{who} pregunta', '{who} demande'],
  refused: [
    '{policy} refused a request to {service}: {reason}',
    '{policy} hat eine Anfrage an {service} abgelehnt: {reason}',
    '{policy} rechazó una petición a {service}: {reason}',
    '{policy} a refusé une requête à {service} : {reason}',
  ],
  until: [
    'This link answers once, until {time}.',
    'Dieser Link antwortet einmal, bis {time}.',
    'Este enlace responde una vez, hasta {time}.',
    'Ce lien répond une fois, jusqu’à {time}.',
  ],
  yes: [
    'Let it pass for {minutes} minutes',
    '{minutes} Minuten durchlassen',
    'Dejar pasar {minutes} minutos',
    'Laisser passer {minutes} minutes',
  ],
  once: [
    'Let it pass once',
    'Einmal durchlassen',
    'Dejar pasar una vez',
    'Laisser passer une fois',
  ],
  no: ['No', 'Nein', 'No', 'Non'],
  passed: ['It may pass', 'Es darf durch', 'Puede pasar', 'C’est permis'],
  allowed: [
    'What {policy} refused to {who} at {service} may pass until {time}.',
    'Was {policy} bei {who} an {service} abgelehnt hat, darf bis {time} durch.',
    'Lo que {policy} rechazó a {who} en {service} puede pasar hasta {time}.',
    'Ce que {policy} a refusé à {who} sur {service} peut passer jusqu’à {time}.',
  ],
  allowedOnce: [
    'What {policy} refused to {who} at {service} may pass once, until {time}.',
    'Was {policy} bei {who} an {service} abgelehnt hat, darf bis {time} einmal durch.',
    'Lo que {policy} rechazó a {who} en {service} puede pasar una vez, hasta {time}.',
    'Ce que {policy} a refusé à {who} sur {service} peut passer une fois, jusqu’à {time}.',
  ],
  denied: ['It stays refused', 'Es bleibt dabei', 'Sigue rechazado', 'Cela reste refusé'],
  deniedMore: [
    'Nothing was allowed.',
    'Es wurde nichts erlaubt.',
    'No se permitió nada.',
    'Rien n’a été permis.',
  ],
  answered: [
    'Somebody has answered',
    'Jemand hat geantwortet',
    'Ya se respondió',
    'Déjà répondu',
  ],
  answeredMore: [
    'By a link that went to {by}: {said}. Nothing was changed now.',
    'Über einen Link an {by}: {said}. Jetzt wurde nichts geändert.',
    'Por un enlace a {by}: {said}. Ahora no se cambió nada.',
    'Par un lien vers {by} : {said}. Rien n’a changé maintenant.',
  ],
  old: [
    'This link is too old',
    'Dieser Link ist zu alt',
    'Este enlace caducó',
    'Ce lien est trop vieux',
  ],
  oldMore: [
    'Nothing was allowed. The code {code} can still be let pass in the dashboard.',
    'Es wurde nichts erlaubt. Der Code {code} lässt sich im Dashboard noch freigeben.',
    'No se permitió nada. El código {code} aún puede permitirse en el panel.',
    'Rien n’a été permis. Le code {code} peut encore être permis dans le tableau de bord.',
  ],
  unknown: [
    'There is no such link',
    'Diesen Link gibt es nicht',
    'No existe ese enlace',
    'Ce lien n’existe pas',
  ],
  failed: [
    'Nothing was allowed',
    'Nichts erlaubt',
    'No se permitió nada',
    'Rien de permis',
  ],
} satisfies Record<string, Line>

export type AnswerText = keyof typeof TEXTS

/** The texts in the language that is set, else the first that the browser wants. */
export class AnswerWords {
  readonly language: string
  readonly #timezone: string | undefined
  readonly #at: number

  constructor(set: string, wanted: string | undefined, timezone: string | undefined) {
    const asked = set === 'auto' ? languageFor(wanted, LANGUAGES) : set
    this.#at = Math.max(
      0,
      LANGUAGES.findIndex((one) => one === asked),
    )
    this.language = LANGUAGES[this.#at] ?? 'en'
    this.#timezone = timezone
  }

  say(text: AnswerText, values: Readonly<Record<string, string>> = {}): string {
    const line: Line = TEXTS[text]
    return (line[this.#at] ?? line[0]).replace(
      /\{(\w+)\}/g,
      (_, name: string) => values[name] ?? '',
    )
  }

  time(at: number): string {
    return new Intl.DateTimeFormat(this.language, {
      dateStyle: 'medium',
      timeStyle: 'short',
      timeZone: this.#timezone,
    }).format(at)
  }
}

const STYLE =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem;' +
  'color:#1f2937;background:#fff}h1{font-size:1.4rem}p{overflow-wrap:anywhere}' +
  'button{font:inherit;display:block;width:100%;min-height:3rem;margin:.75rem 0;' +
  'border:2px solid #1f2937;border-radius:.5rem;background:#fff;color:inherit}' +
  '.yes{background:#14532d;border-color:#14532d;color:#fff}' +
  '@media(prefers-color-scheme:dark){body{background:#111827;color:#f3f4f6}' +
  'button{background:#111827;border-color:#f3f4f6}.yes{background:#166534;color:#fff}}'

const HASH = createHash('sha256').update(STYLE).digest('base64')

/** For this document alone: its own style, forms to where it came from. */
export const PAGE_FIELDS: Readonly<Record<string, string>> = {
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${HASH}'; base-uri 'none'; ` +
    "form-action 'self'; frame-ancestors 'none'",
}

export interface AnswerPage {
  readonly title: string
  readonly lines: readonly string[]
  readonly buttons?: readonly {
    readonly action: string
    readonly label: string
    readonly isYes?: boolean
  }[]
}

export function answerPage(
  language: string,
  { title, lines, buttons = [] }: AnswerPage,
): string {
  const forms = buttons.map(
    ({ action, label, isYes = false }) =>
      `<form method="post" action="${escaped(action)}">` +
      `<button${isYes ? ' class="yes"' : ''}>${escaped(label)}</button></form>`,
  )
  return [
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="robots" content="noindex">',
    `<title>${escaped(title)} · YORI</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escaped(title)}</h1>`,
    ...lines.map((line) => `<p>${escaped(line)}</p>`),
    ...forms,
    '</main></body></html>\n',
  ].join('\n')
}
