/**
 * What is to be taken out of a JSON request body before it goes on. `label` names what it was
 * (`credit_card`); `[redacted:credit_card]` stands there afterwards.
 */
export type Redaction = Passage | { readonly kind: 'body'; readonly text: string }

/** All but another body in the place of the one that came, which is JSON text. */
export type Passage =
  /** Wherever this text stands in a text of the body, and numbers written just so. */
  | { readonly kind: 'text'; readonly text: string; readonly label: string }
  /** The text or number at an RFC 6901 pointer, such as `/messages/0/content`. */
  | { readonly kind: 'value'; readonly pointer: string; readonly label: string }
  /** A part of the text there: UTF-16 offsets, the end not included. */
  | {
      readonly kind: 'span'
      readonly pointer: string
      readonly start: number
      readonly end: number
      readonly label: string
    }
  /** All personal data of this kind (`*`: of every kind) that the detectors find in its texts. */
  | { readonly kind: 'finding'; readonly of: string }

/** What a detector found in a text: UTF-16 offsets, the end not included. */
export interface Found {
  readonly kind: string
  readonly start: number
  readonly end: number
}

/** Bounded in time by itself. */
export type Find = (text: string) => readonly Found[]
