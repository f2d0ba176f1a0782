/** Loaded policies, ready to be asked. */
import { bodyCode } from './code.js'
import { Context, Frame } from './context.js'
import { Lowering } from './lower.js'
import { queryState } from './options.js'
import { parseQuery } from './parser.js'
import { re2Engine } from './regex.js'
import { failure, problem } from './result.js'
import { requireBound, schedule } from './schedule.js'
import { isUnsupported } from './unsupported.js'
import { fromJson, RegoObject } from './value.js'
import type { Body, Literal, Module, Term } from './ast.js'
import type { RegoError } from './errors.js'
import type { Global } from './names.js'
import type { EvaluateOptions } from './options.js'
import type { Operand, Scope, Step } from './plan.js'
import type { Program } from './program.js'
import type { RegexEngine } from './regex.js'
import type {
  DocumentResult,
  EvaluationFailure,
  PreparedQuery,
  QueryResult,
  Row,
} from './result.js'
import type { Run } from './run.js'
import type { Value } from './value.js'

/**
 * Modules that were read and checked together. It holds no answers: each call evaluates anew,
 * and calls do not see one another. What an evaluation may spend is in `EvaluateOptions`; over
 * it the result is an `eval_budget_error` or `eval_deadline_error`, never a partial answer.
 * Methods never throw for what a policy does or an input holds; they throw TypeError for input or
 * data that is no JSON, and RangeError for NaN and infinities in it.
 */
export class Policy {
  readonly modules: readonly Module[]
  readonly #program: Program
  readonly #regex: RegexEngine = re2Engine()

  constructor(program: Program, modules: readonly Module[]) {
    this.#program = program
    this.modules = modules
  }

  /**
   * Prepares `data.a.b` for many evaluations with one `data` document (parsed JSON, which must
   * not change; default `{}`). Throws RangeError for any other form of path, TypeError when
   * `data` is no object.
   */
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

  /** The document at `data.a.b`: `prepareQuery` and its call in one. */
  evaluate(
    path: string,
    input?: unknown,
    data?: unknown,
    options?: EvaluateOptions,
  ): DocumentResult {
    return this.prepareQuery(path, data)(input, options)
  }

  /**
   * Any query: `x := data.a.b[_]; x > 1`. One row for each way in which all of it holds, in no
   * promised order; `invalid` when the text does not parse or has unsafe variables.
   */
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
    })
    const scope = lowering.names.scope('body', undefined, body)
    const steps: Step[] = []
    const values = body.map((literal) => shownValue(lowering, literal, { scope, steps }))
    const bound = new Set<number>()
    schedule(steps, bound, lowering.names.slots)
    requireBound(
      values.flatMap((value) => value ?? []),
      bound,
      lowering.names.slots,
    )
    const names = [...scope.implicit, ...scope.declared]
    const slotOf = (value: Operand | undefined): Operand =>
      value ?? { kind: 'constant', value: true }
    return {
      slots: lowering.names.slots.length,
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
      replaced: undefined,
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
