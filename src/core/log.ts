/**
 * What the parts may say. pino satisfies it; tests pass `silentLog`.
 * Fields never hold keys, authorization, cookies or bodies.
 */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const nothing = (): void => undefined

export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
}
