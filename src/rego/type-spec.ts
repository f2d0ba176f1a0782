/**
 * The types that a built-in declares for its operands and its result: what the compiler checks
 * before evaluation. What a function refuses while running it says itself, in `builtins/`.
 */
export type TypeSpec =
  | { readonly kind: 'any' | 'null' | 'boolean' | 'number' | 'string' }
  /** `items` is the type of every member; `undefined` when only `first` may be there. */
  | {
      readonly kind: 'array'
      readonly first: readonly TypeSpec[]
      readonly items: TypeSpec | undefined
    }
  | { readonly kind: 'set'; readonly of: TypeSpec }
  | { readonly kind: 'object'; readonly key: TypeSpec; readonly value: TypeSpec }
  | { readonly kind: 'one-of'; readonly of: readonly TypeSpec[] }

const anything: TypeSpec = { kind: 'any' }

export const t = {
  any: anything,
  null: { kind: 'null' },
  boolean: { kind: 'boolean' },
  number: { kind: 'number' },
  string: { kind: 'string' },
  array: (items: TypeSpec = anything): TypeSpec => ({ kind: 'array', first: [], items }),
  tuple: (...first: TypeSpec[]): TypeSpec => ({ kind: 'array', first, items: undefined }),
  set: (of: TypeSpec = anything): TypeSpec => ({ kind: 'set', of }),
  object: (key: TypeSpec = anything, value: TypeSpec = anything): TypeSpec => ({
    kind: 'object',
    key,
    value,
  }),
  oneOf: (...of: TypeSpec[]): TypeSpec => ({ kind: 'one-of', of }),
} as const satisfies Record<string, TypeSpec | ((...specs: TypeSpec[]) => TypeSpec)>

/** As OPA writes it in messages: `any<set[any], array[any], string>`. */
export function typeSpecText(spec: TypeSpec): string {
  switch (spec.kind) {
    case 'array': {
      const first = spec.first.map(typeSpecText)
      if (spec.items === undefined) return `array<${first.join(', ')}>`
      const items = typeSpecText(spec.items)
      return first.length === 0
        ? `array[${items}]`
        : `array<${first.join(', ')}>[${items}]`
    }
    case 'set':
      return `set[${typeSpecText(spec.of)}]`
    case 'object':
      return `object[${typeSpecText(spec.key)}: ${typeSpecText(spec.value)}]`
    case 'one-of':
      return `any<${spec.of.map(typeSpecText).join(', ')}>`
    case 'any':
    case 'null':
    case 'boolean':
    case 'number':
    case 'string':
      return spec.kind
  }
}
