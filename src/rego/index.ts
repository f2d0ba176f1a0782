/**
 * Rego, the policy language, evaluated in process: `compileModules` reads and checks policies,
 * a `Policy` answers queries. Pure: time, randomness and limits come as arguments.
 */
import { builtins } from './builtins/index.js'
import { bodyCode, intrinsicNames } from './code.js'
import { compileTree } from './compile.js'
import { Context, Frame } from './context.js'
import { EvalError, LoadError } from './errors.js'
import { Meter } from './limits.js'
import { Lowering } from './lower.js'
import { ownNames } from './names.js'
import { parseModule, parseQuery } from './parser.js'
import { Program } from './program.js'
import { re2Engine } from './regex.js'
import { requireBound, schedule } from './schedule.js'
import { isUnsupported, standInsFor } from './unsupported.js'
import { fromJson, RegoObject, toJson } from './value.js'
import type { Body, Literal, Module, RegoVersion, Term } from './ast.js'
import type { Builtin } from './builtin.js'
import type { Run } from './run.js'
import type { QueryState } from './context.js'
import type { EvalErrorCode, Place, RegoError } from './errors.js'
import type { Global } from './names.js'
import type { Operand, Scope, Step } from './plan.js'
import type { RegexEngine } from './regex.js'
import type { Value } from './value.js'

export type { RegoError, EvalErrorCode, LoadErrorCode } from './errors.js'
export { describeLoadError } from './errors.js'
export type { RegoVersion } from './ast.js'
export * from './value.js'
export { fromJsonText, regoToString, toJsonText } from './text.js'

export interface CompileOptions {
  /** How to read modules that do not import `rego.v1`. Default `v1`. */
  readonly version?: RegoVersion
  /** Built-ins beside, or in place of, the language's own. */
  readonly builtins?: readonly Builtin[]
}

export interface SourceFile {
  readonly name: string
  readonly text: string
}

export type CompileResult =
  | { readonly kind: 'ok'; readonly policy: Policy }
  | { readonly kind: 'invalid'; readonly errors: readonly RegoError[] }

export interface EvaluateOptions {
  /** What an evaluation may spend. Default 100,000: under 10 ms of the event loop. */
  readonly maxSteps?: number
  /** Milliseconds by `monotonic`. Default 5; Infinity for none. */
  readonly deadlineMs?: number
  readonly monotonic?: () => number
  /** Errors of built-ins end the evaluation, where they otherwise are undefined. */
  readonly strict?: boolean
  /** Nanoseconds since the Unix epoch. Default: the wall clock's. */
  readonly nowNs?: bigint
  /** A double in `[0, 1)`; without it a generator seeded by `seed`. */
  readonly random?: () => number
  readonly seed?: number
  readonly print?: (message: string) => void
  readonly trace?: (message: string) => void
  /** Told of each rule (by the line of its body) that held. */
  readonly covered?: (file: string, line: number) => void
}

export interface EvaluationFailure {
  readonly kind: 'error'
  readonly code: EvalErrorCode
  readonly message: string
  readonly place?: Place
}

export type DocumentResult =
  | { readonly kind: 'value'; readonly value: Value; readonly steps: number }
  | { readonly kind: 'undefined'; readonly steps: number }
  | EvaluationFailure

export interface Row {
  /** The query's variables, those that start with `_` or were made up left out. */
  readonly bindings: ReadonlyMap<string, Value>
  readonly expressions: readonly {
    readonly value: Value
    readonly text: string
    readonly line: number
    readonly column: number
  }[]
}

export type QueryResult =
  | { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly steps: number }
  | EvaluationFailure

/** A document worked out from an input; what the hot path keeps. */
export type PreparedQuery = (input?: unknown, options?: EvaluateOptions) => DocumentResult

const DEFAULT_MAX_STEPS = 100_000
const DEFAULT_DEADLINE_MS = 5

export function compileModules(
  files: readonly SourceFile[],
  options: CompileOptions = {},
): CompileResult {
  const modules: Module[] = []
  const errors: RegoError[] = []
  for (const { name, text } of files) {
    try {
      modules.push(parseModule(name, text, options.version ?? 'v1'))
    } catch (cause) {
      errors.push(problem(name, cause))
    }
  }
  if (errors.length > 0) return { kind: 'invalid', errors }
  const known = builtinMap([...standInsFor(modules), ...(options.builtins ?? [])])
  const compiled = compileTree(modules, known)
  if (compiled.errors.length > 0) return { kind: 'invalid', errors: compiled.errors }
  return { kind: 'ok', policy: new Policy(new Program(compiled.tree, known), modules) }
}

function builtinMap(more: readonly Builtin[]): ReadonlyMap<string, Builtin> {
  const map = new Map<string, Builtin>()
  for (const builtin of [...builtins, ...more]) map.set(builtin.name, builtin)
  for (const [name, builtin] of intrinsicNames) map.set(name, builtin)
  return map
}

function problem(file: string, cause: unknown): RegoError {
  if (!(cause instanceof LoadError)) throw cause
  const { line, column, code, message } = cause
  return { file, line, column, code, message }
}

export class Policy {
  readonly modules: readonly Module[]
  readonly #program: Program
  readonly #regex: RegexEngine = re2Engine()

  constructor(program: Program, modules: readonly Module[]) {
    this.#program = program
    this.modules = modules
  }

  /** Prepares `data.a.b` for many evaluations. Throws RangeError for any other form. */
  prepareQuery(path: string, data: unknown = {}): PreparedQuery {
    const names = path.split('.')
    if (names.shift() !== 'data' || names.includes('')) {
      throw new RangeError(`not the path of a document: ${path}`)
    }
    const base = dataObject(data)
    const at: Operand[] = names.map((value) => ({ kind: 'constant', value }))
    const step: Step = {
      kind: 'ref',
      root: 'data',
      path: at,
      out: { kind: 'slot', slot: 0 },
      at: { line: 1, column: 1 },
    }
    const end: Run = (frame) => {
      frame.value = frame.slots[0]
      return true
    }
    const run = bodyCode([step], new Set(), end, {
      program: this.#program,
      file: 'query',
    })
    return (input, options = {}) =>
      this.#guard((): DocumentResult => {
        const context = this.#context(input, base, options)
        const frame = new Frame(context, 1)
        run(frame)
        const steps = context.query.meter.spent
        if (frame.value === undefined) return { kind: 'undefined', steps }
        return { kind: 'value', value: frame.value, steps }
      })
  }

  /** The document at `data.a.b`. */
  evaluate(
    path: string,
    input?: unknown,
    data?: unknown,
    options?: EvaluateOptions,
  ): DocumentResult {
    return this.prepareQuery(path, data)(input, options)
  }

  /** Any query: `x := data.a.b[_]; x > 1`. */
  query(
    text: string,
    input?: unknown,
    data?: unknown,
    options: EvaluateOptions = {},
  ): QueryResult | { readonly kind: 'invalid'; readonly errors: readonly RegoError[] } {
    let compiled: CompiledQuery
    try {
      compiled = this.#compileQuery(text)
    } catch (cause) {
      return { kind: 'invalid', errors: [problem('query', cause)] }
    }
    return this.#guard((): QueryResult => {
      const context = this.#context(input, dataObject(data ?? {}), options)
      const rows: Row[] = []
      const run = compiled.run((row) => rows.push(row))
      run(new Frame(context, compiled.slots))
      return { kind: 'rows', rows, steps: context.query.meter.spent }
    })
  }

  #compileQuery(text: string): CompiledQuery {
    const body = parseQuery(text)
    const texts = literalTexts(text, body)
    const program = this.#program
    const globals = new Map<string, Global>([
      ['data', ['data']],
      ['input', ['input']],
    ])
    const lowering = new Lowering({
      globals,
      tree: program.tree,
      isUnsupported,
      arityOf: (name) => program.builtin(name)?.arity,
      metadata: () => [],
    })
    const scope = lowering.scope(undefined, ownNames(body))
    const steps: Step[] = []
    const values = body.map((literal) => shownValue(lowering, literal, { scope, steps }))
    const bound = new Set<number>()
    schedule(steps, bound, lowering.slots)
    requireBound(
      values.flatMap((value) => value ?? []),
      bound,
      lowering.slots,
    )
    const names = [...scope.implicit, ...scope.declared].filter(
      ([name]) => !name.startsWith('_'),
    )
    const slotOf = (value: Operand | undefined): Operand =>
      value ?? { kind: 'constant', value: true }
    return {
      slots: lowering.slots.length,
      run: (emit) => {
        const end: Run = (frame) => {
          emit({
            bindings: new Map(
              names.map(([name, slot]) => [name, frame.slots[slot] as Value]),
            ),
            expressions: body.map((literal, index) => ({
              value: readShown(slotOf(values[index]), frame),
              text: texts[index] ?? '',
              ...literal.at,
            })),
          })
          return false
        }
        return bodyCode(steps, new Set(), end, { program, file: 'query' })
      },
    }
  }

  #context(input: unknown, data: RegoObject, options: EvaluateOptions): Context {
    const query = queryState(options, this.#regex)
    const value = input === undefined ? undefined : fromJson(input)
    return new Context(query, {
      input: value,
      data,
      mocks: undefined,
      masked: undefined,
    })
  }

  #guard<T>(run: () => T): T | EvaluationFailure {
    try {
      return run()
    } catch (cause) {
      return failure(cause)
    }
  }
}

/** Each literal as it was written. */
function literalTexts(text: string, body: Body): string[] {
  const lines = text.split('\n')
  const offsetOf = ({ at }: Literal): number =>
    lines.slice(0, at.line - 1).reduce((sum, line) => sum + line.length + 1, 0) +
    at.column -
    1
  const starts = [...body.map(offsetOf), text.length]
  return body.map((_, index) =>
    text.slice(starts[index], starts[index + 1]).replace(/[\s;]+$/, ''),
  )
}

interface CompiledQuery {
  readonly slots: number
  readonly run: (emit: (row: Row) => void) => Run
}

/** A plain term of a query shows its value and holds even when that is false. */
function shownValue(
  lowering: Lowering,
  literal: Literal,
  place: { scope: Scope; steps: Step[] },
): Operand | undefined {
  const { expression } = literal
  const plain =
    expression.kind === 'term' && !literal.negated && literal.withs.length === 0
  const { scope } = place
  if (!plain || !showsValue(lowering, expression.term, scope)) {
    lowering.body([literal], place)
    return undefined
  }
  return lowering.term(expression.term, place)
}

function showsValue(lowering: Lowering, term: Term, scope: Scope): boolean {
  return term.kind !== 'call' || lowering.givesValue(term, scope)
}

function readShown(operand: Operand, frame: Frame): Value {
  if (operand.kind === 'constant') return operand.value
  if (operand.kind === 'slot') return frame.slots[operand.slot] as Value
  return true
}

function dataObject(json: unknown): RegoObject {
  const value = fromJson(json)
  if (!(value instanceof RegoObject)) throw new TypeError('data must be an object')
  return value
}

function failure(cause: unknown): EvaluationFailure {
  if (cause instanceof EvalError) {
    const { code, message, place } = cause
    return place === undefined
      ? { kind: 'error', code, message }
      : { kind: 'error', code, message, place }
  }
  if (cause instanceof RangeError && cause.message.includes('call stack')) {
    const message = 'the policy nests more deeply than the stack allows'
    return { kind: 'error', code: 'eval_budget_error', message }
  }
  throw cause
}

function queryState(options: EvaluateOptions, regex: RegexEngine): QueryState {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS
  const meter = new Meter({
    maxSteps: options.maxSteps ?? DEFAULT_MAX_STEPS,
    deadlineMs: deadlineMs === Infinity ? undefined : deadlineMs,
    monotonic: options.monotonic ?? (() => performance.now()),
  })
  return {
    meter,
    strict: options.strict ?? false,
    builtins: {
      nowNs: options.nowNs ?? BigInt(Date.now()) * 1_000_000n,
      random: options.random ?? seeded(options.seed ?? 1),
      step: (count) => meter.step(count),
      regex,
      print: options.print ?? ignore,
      trace: options.trace ?? ignore,
      cache: new Map(),
    },
    nondeterministic: new Map(),
    covered: options.covered,
  }
}

const ignore = (): void => undefined

/** A small generator (mulberry32): repeatable, not secret. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export { toJson }
