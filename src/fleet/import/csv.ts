/**
 * Reads CSV (RFC 4180) as it comes, a row at a time: fields in double quotes hold commas, line
 * breaks and doubled quotes. Bounded by the longest field. Pure.
 */

export const MOST_FIELD_CHARS = 16 * 2 ** 20
const MOST_FIELDS = 1_024

type State = 'start' | 'plain' | 'quoted' | 'closed'

export class CsvReader {
  #state: State = 'start'
  #field = ''
  #row: string[] = []
  #line = 1

  /** Rows that are whole. @throws RangeError that names the line of what is no CSV */
  push(text: string): string[][] {
    const rows: string[][] = []
    for (let at = 0; at < text.length; at++) {
      // What is between two signs that mean something is taken as it is.
      const from = at
      const stop = this.#state === 'quoted' ? /["]/g : /[",\r\n]/g
      stop.lastIndex = at
      at = stop.exec(text)?.index ?? text.length
      if (at > from) this.#text(text.slice(from, at))
      const sign = text[at]
      if (sign === undefined) break
      const row = this.#sign(sign)
      if (row !== undefined) rows.push(row)
    }
    return rows
  }

  /** The last row, where no line break ends it. @throws RangeError where a quote stays open */
  end(): string[] | undefined {
    if (this.#state === 'quoted') throw this.#wrong('a quote is not closed')
    return this.#state === 'start' && this.#row.length === 0 ? undefined : this.#endRow()
  }

  #text(text: string): void {
    if (this.#state === 'closed') throw this.#wrong('text follows a closed quote')
    if (this.#state === 'start') this.#state = 'plain'
    this.#field += text
    if (this.#state === 'quoted') this.#line += text.split('\n').length - 1
    if (this.#field.length > MOST_FIELD_CHARS) throw this.#wrong('a field is too long')
  }

  #sign(sign: string): string[] | undefined {
    if (sign === '"') {
      if (this.#state === 'plain') throw this.#wrong('a quote stands within a field')
      // The second of two is one of the text.
      if (this.#state === 'closed') this.#field += '"'
      this.#state = this.#state === 'quoted' ? 'closed' : 'quoted'
      return undefined
    }
    if (sign === ',') {
      this.#endField()
      return undefined
    }
    if (sign === '\r') return undefined
    this.#line++
    if (this.#state === 'start' && this.#row.length === 0) return undefined
    return this.#endRow()
  }

  #endField(): void {
    this.#row.push(this.#field)
    if (this.#row.length > MOST_FIELDS) throw this.#wrong('a row has too many fields')
    this.#field = ''
    this.#state = 'start'
  }

  #endRow(): string[] {
    this.#endField()
    const row = this.#row
    this.#row = []
    return row
  }

  #wrong(what: string): RangeError {
    return new RangeError(`line ${this.#line}: ${what}`)
  }
}
