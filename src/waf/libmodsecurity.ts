/**
 * libmodsecurity 3 through koffi (optional): everything that touches its memory. One engine a
 * process, one transaction at a time; what a transaction said is text until `said.ts` reads it.
 */
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import type { LibraryHandle } from 'koffi'

/** Debian and most of Linux; FreeBSD's port has the same, or the plain one. */
const LIBRARIES = [
  'libmodsecurity.so.3',
  'libmodsecurity.so',
  '/usr/local/lib/libmodsecurity.so.3',
  '/usr/local/lib/libmodsecurity.so',
]

/** Of what one transaction says; a line a rule. */
const MAX_LINES = 512
const MAX_LINE = 8192

/** The engine is not on this machine, or not one that can be used. */
export class EngineMissing extends Error {
  override readonly name = 'EngineMissing'
}

/** A rule that the engine does not take; its message has file and line. */
export class RulesRefused extends Error {
  override readonly name = 'RulesRefused'
}

/** A request as the engine is to see it. */
export interface EngineRequest {
  readonly method: string
  /** Origin-form, as it came. */
  readonly uri: string
  /** `1.1`, `2`. */
  readonly version: string
  readonly clientAddress: string
  readonly clientPort: number
  /** Names and values by turns. */
  readonly fields: readonly string[]
  readonly body: Buffer | undefined
}

export interface EngineSaid {
  /** One a rule that matched, in order. */
  readonly lines: readonly string[]
  /** It wants the request stopped, and says why; undefined: it does not. */
  readonly stops: { readonly status: number; readonly log: string } | undefined
}

type Pointer = unknown

interface Calls {
  readonly createRules: () => Pointer
  readonly cleanRules: (rules: Pointer) => number
  readonly addRules: (rules: Pointer, text: string, error: unknown[]) => number
  readonly addFile: (rules: Pointer, path: string, error: unknown[]) => number
  readonly begin: (engine: Pointer, rules: Pointer, data: null) => Pointer
  readonly connection: (...args: [Pointer, string, number, string, number]) => number
  readonly uri: (...args: [Pointer, string, string, string]) => number
  readonly field: (...args: [Pointer, Buffer, number, Buffer, number]) => number
  readonly fieldsEnd: (transaction: Pointer) => number
  readonly body: (...args: [Pointer, Buffer, number]) => number
  readonly bodyEnd: (transaction: Pointer) => number
  readonly intervention: (transaction: Pointer, intervention: Intervention) => number
  readonly logging: (transaction: Pointer) => number
  readonly end: (transaction: Pointer) => void
  readonly free: (pointer: Pointer) => void
}

interface Intervention {
  status: number
  pause: number
  url: Pointer
  log: Pointer
  disruptive: number
}

export class Engine {
  static #only: Engine | undefined
  /** As it names itself: `ModSecurity v3.0.9 (Linux)`. */
  readonly version: string
  readonly #koffi: typeof Koffi
  readonly #calls: Calls
  readonly #engine: Pointer
  #lines: string[] = []

  private constructor(koffi: typeof Koffi, library: LibraryHandle) {
    this.#koffi = koffi
    this.#calls = callsOf(koffi, library)
    this.#engine = (library.func('void *msc_init()') as () => Pointer)()
    const whoAmI = library.func('const char *msc_who_am_i(void *engine)')
    this.version = String((whoAmI as (engine: Pointer) => unknown)(this.#engine))
    this.#listen(library)
  }

  /** The one of this process. @throws EngineMissing with a sentence that names what to install */
  static open(libraries?: readonly string[]): Engine {
    if (libraries !== undefined) return Engine.#open(libraries)
    Engine.#only ??= Engine.#open(LIBRARIES)
    return Engine.#only
  }

  static #open(libraries: readonly string[]): Engine {
    let koffi: typeof Koffi
    try {
      // Required, not imported: importing CommonJS makes Node load its lexer, 5 MB.
      koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    } catch {
      throw new EngineMissing(
        'koffi is not installed or does not run here: install YORI with its optional packages',
      )
    }
    for (const name of libraries) {
      let library: LibraryHandle
      try {
        library = koffi.load(name)
      } catch {
        continue
      }
      try {
        return new Engine(koffi, library)
      } catch {
        throw new EngineMissing(`${name} is no libmodsecurity of version 3`)
      }
    }
    throw new EngineMissing(
      'libmodsecurity 3 is not installed: apt-get install libmodsecurity3 (Debian), ' +
        'pkg install modsecurity3 (FreeBSD)',
    )
  }

  /** `parts`: directives as text, or the path of a file of them. @throws RulesRefused */
  load(parts: readonly ({ readonly text: string } | { readonly file: string })[]): Rules {
    const { createRules, addRules, addFile, cleanRules } = this.#calls
    const rules = createRules()
    for (const part of parts) {
      const error: unknown[] = [null]
      const count =
        'text' in part
          ? addRules(rules, part.text, error)
          : addFile(rules, part.file, error)
      if (count >= 0) continue
      // Nothing is given back: what was read by half is not whole enough to be taken apart.
      const [said] = error
      const why = typeof said === 'string' ? said : 'a rule is not understood'
      // It names its file by a number at times.
      const place = 'text' in part ? '' : `${part.file}: `
      throw new RulesRefused(`${place}${why.trim()}`)
    }
    return {
      check: (request) => this.#check(rules, request),
      close: () => void cleanRules(rules),
    }
  }

  #check(rules: Pointer, request: EngineRequest): EngineSaid {
    const calls = this.#calls
    this.#lines = []
    const transaction = calls.begin(this.#engine, rules, null)
    try {
      const { clientAddress, clientPort, uri, method, version, fields, body } = request
      calls.connection(transaction, clientAddress, clientPort, '127.0.0.1', 443)
      calls.uri(transaction, uri, method, version)
      for (let i = 0; i + 1 < fields.length; i += 2) {
        const name = Buffer.from(fields[i] as string, 'latin1')
        const value = Buffer.from(fields[i + 1] as string, 'latin1')
        calls.field(transaction, name, name.length, value, value.length)
      }
      calls.fieldsEnd(transaction)
      let stops = this.#stopped(transaction)
      if (stops === undefined) {
        if (body !== undefined && body.length > 0)
          calls.body(transaction, body, body.length)
        // Without a body, too: rules about the URL are rules of this phase.
        calls.bodyEnd(transaction)
        stops = this.#stopped(transaction)
      }
      calls.logging(transaction)
      return { lines: this.#lines, stops }
    } finally {
      calls.end(transaction)
    }
  }

  #stopped(transaction: Pointer): EngineSaid['stops'] {
    const found: Intervention = {
      ...{ status: 200, pause: 0, disruptive: 0 },
      ...{ url: null, log: null },
    }
    this.#calls.intervention(transaction, found)
    const log = found.log === null ? '' : this.#text(found.log)
    if (found.log !== null) this.#calls.free(found.log)
    if (found.url !== null) this.#calls.free(found.url)
    return found.disruptive === 0 ? undefined : { status: found.status, log }
  }

  /** One callback for the life of the process: it is never given back. */
  #listen(library: LibraryHandle): void {
    const koffi = this.#koffi
    const type = koffi.proto('void MscLog(void *data, const void *message)')
    const heard = koffi.register((_data: Pointer, message: Pointer) => {
      if (this.#lines.length < MAX_LINES) this.#lines.push(this.#text(message))
    }, koffi.pointer(type))
    const setLog = library.func('void msc_set_log_cb(void *engine, MscLog *callback)')
    ;(setLog as (engine: Pointer, callback: unknown) => void)(this.#engine, heard)
  }

  #text(pointer: Pointer): string {
    return String(this.#koffi.decode(pointer, 'char', -1)).slice(0, MAX_LINE)
  }
}

/** Rules that were taken, ready to be asked. */
export interface Rules {
  check(request: EngineRequest): EngineSaid
  close(): void
}

function callsOf(koffi: typeof Koffi, library: LibraryHandle): Calls {
  koffi.struct('MscIntervention', {
    status: 'int',
    pause: 'int',
    url: 'void *',
    log: 'void *',
    disruptive: 'int',
  })
  const call = <T>(signature: string): T => library.func(signature) as T
  return {
    createRules: call('void *msc_create_rules_set()'),
    cleanRules: call('int msc_rules_cleanup(void *rules)'),
    addRules: call(
      'int msc_rules_add(void *rules, const char *text, _Out_ const char **error)',
    ),
    addFile: call(
      'int msc_rules_add_file(void *rules, const char *file, _Out_ const char **error)',
    ),
    begin: call('void *msc_new_transaction(void *engine, void *rules, void *data)'),
    connection: call(
      'int msc_process_connection(void *t, const char *client, int port, const char *server, int at)',
    ),
    uri: call(
      'int msc_process_uri(void *t, const char *uri, const char *method, const char *version)',
    ),
    field: call(
      'int msc_add_n_request_header(void *t, const void *name, size_t length, const void *value, size_t size)',
    ),
    fieldsEnd: call('int msc_process_request_headers(void *t)'),
    body: call('int msc_append_request_body(void *t, const void *bytes, size_t length)'),
    bodyEnd: call('int msc_process_request_body(void *t)'),
    intervention: call('int msc_intervention(void *t, _Inout_ MscIntervention *found)'),
    logging: call('int msc_process_logging(void *t)'),
    end: call('void msc_transaction_cleanup(void *t)'),
    free: koffi.load(null).func('void free(void *pointer)') as Calls['free'],
  }
}
