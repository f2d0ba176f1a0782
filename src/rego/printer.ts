/**
 * The syntax tree as text that reads back to an equal tree. Every operator is written as the
 * call that it is.
 */
import { unreachable } from './errors.js'
import { BigDecimal, numberToText } from './number.js'
import type {
  Body,
  ElseBranch,
  Expression,
  Head,
  Import,
  Literal,
  Module,
  Rule,
  TemplatePart,
  Term,
} from './ast.js'
import type { Value } from './value.js'

export function printModule(module: Module): string {
  const lines = [`package ${pathText(module.package)}`, '']
  for (const one of module.imports) lines.push(printImport(one))
  for (const rule of module.rules) lines.push('', printRule(rule))
  return lines.join('\n') + '\n'
}

export function printBody(body: Body): string {
  return body.map(printLiteral).join('\n')
}

function printImport({ path, alias }: Import): string {
  return `import ${pathText(path)}${alias === undefined ? '' : ` as ${alias}`}`
}

function pathText(path: readonly string[]): string {
  const [first = '', ...rest] = path
  return first + rest.map((name) => `[${JSON.stringify(name)}]`).join('')
}

function printRule(rule: Rule): string {
  const start = rule.isDefault ? 'default ' : ''
  const body = rule.body.length === 0 ? '' : ` if ${braces(rule.body)}`
  return start + printHead(rule.head) + body + rule.elses.map(printElse).join('')
}

function printElse({ value, body }: ElseBranch): string {
  const is = value === undefined ? '' : ` := ${printTerm(value)}`
  return ` else${is}${body.length === 0 ? '' : ` if ${braces(body)}`}`
}

function printHead({ name, path, args, member, value }: Head): string {
  const call = args === undefined ? '' : `(${args.map(printTerm).join(', ')})`
  const contains = member === undefined ? '' : ` contains ${printTerm(member)}`
  const is = value === undefined ? '' : ` := ${printTerm(value)}`
  return name.name + keys(path) + call + contains + is
}

function braces(body: Body): string {
  return `{\n${printBody(body)}\n}`
}

export function printLiteral({ negated, expression, withs }: Literal): string {
  const changes = withs.map(
    ({ target, value }) => ` with ${printTerm(target)} as ${printTerm(value)}`,
  )
  return (negated ? 'not ' : '') + printExpression(expression) + changes.join('')
}

function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'term':
      return printTerm(expression.term)
    case 'unify':
      return `${printTerm(expression.left)} = ${printTerm(expression.right)}`
    case 'assign':
      return `${printTerm(expression.left)} := ${printTerm(expression.right)}`
    case 'some':
      return `some ${expression.names.map(({ name }) => name).join(', ')}`
    case 'some-in': {
      const key = expression.key === undefined ? '' : `${printTerm(expression.key)}, `
      return `some ${key}${printTerm(expression.value)} in ${printTerm(expression.collection)}`
    }
    case 'every': {
      const key = expression.key === undefined ? '' : `${expression.key.name}, `
      const domain = printTerm(expression.domain)
      return `every ${key}${expression.value.name} in ${domain} ${braces(expression.body)}`
    }
    default:
      return unreachable(expression)
  }
}

export function printTerm(term: Term): string {
  switch (term.kind) {
    case 'scalar':
      return scalarText(term.value)
    case 'var':
      return term.name
    case 'ref':
      return printTerm(term.head) + keys(term.path)
    case 'call':
      return `${printTerm(term.operator)}(${term.args.map(printTerm).join(', ')})`
    case 'array':
      return `[${term.items.map(printTerm).join(', ')}]`
    case 'set':
      return term.items.length === 0
        ? 'set()'
        : `{${term.items.map(printTerm).join(', ')}}`
    case 'object':
      return `{${term.items.map(([key, value]) => `${printTerm(key)}: ${printTerm(value)}`).join(', ')}}`
    case 'comprehension': {
      const head = term.key === undefined ? '' : `${printTerm(term.key)}: `
      const inner = `${head}${printTerm(term.head)} | ${term.body.map(printLiteral).join('; ')}`
      return term.of === 'array' ? `[${inner}]` : `{${inner}}`
    }
    case 'template':
      return `$"${term.parts.map(partText).join('')}"`
    default:
      return unreachable(term)
  }
}

/** Names follow with a dot: a keyword is a name only so (`if.x`). */
function keys(path: readonly Term[]): string {
  return path
    .map((key) => (isName(key) ? `.${key.value}` : `[${printTerm(key)}]`))
    .join('')
}

function isName(term: Term): term is Term & { value: string } {
  return (
    term.kind === 'scalar' &&
    typeof term.value === 'string' &&
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(term.value)
  )
}

function scalarText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' || typeof value === 'bigint') return numberToText(value)
  if (value === null || typeof value === 'boolean') return String(value)
  return value instanceof BigDecimal ? value.text : '?'
}

function partText(part: TemplatePart): string {
  if (part.kind === 'expression') return `{${printLiteral(part.literal)}}`
  return JSON.stringify(part.text).slice(1, -1).replaceAll('{', '\\{')
}
