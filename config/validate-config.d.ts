/**
 * The compiled form of `configSchema`. `tools/build/compile-schema.ts` writes the module into
 * `dist/config` after each compile, so that the running process carries no schema compiler.
 */
export interface SchemaError {
  readonly keyword: string
  /** JSON Pointer (RFC 6901) to the value. */
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
}

/** True when the data fits; else `errors` holds every error. Never changes the data. */
export declare const validateConfig: {
  (data: unknown): boolean
  errors?: readonly SchemaError[] | null
}
