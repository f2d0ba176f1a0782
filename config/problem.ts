/** How a wrong configuration is spoken about. Pure. */

export type Path = readonly (string | number)[]

export interface Problem {
  /** Path of the file, `environment`, `command line` or `defaults`. */
  readonly file: string
  /** From 1. */
  readonly line?: number
  /** From 1, in characters. */
  readonly column?: number
  /** As `endpoints[2].domain`; the variable's or flag's name when it came from there. */
  readonly key: string
  readonly wrong: string
  readonly right: string
}

/** `audit.database`, `endpoints[2].domain`, `upstream.resolve["*.example.com"]`. */
export function formatKey(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

/** One line: `file:line:column key: wrong; right`. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, key, wrong, right } = problem
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return `${place}${key === '' ? '' : ` ${key}`}: ${wrong}; ${right}`
}
