/** What a processor is told after a request has gone up: for a look, nothing waits for it. */
export type Told =
  | {
      readonly kind: 'response_headers'
      readonly status: number
      /** Lower-case names; flat. */
      readonly fields: readonly string[]
      /** Of its body nothing is told. */
      readonly isLast: boolean
    }
  | {
      readonly kind: 'response_body'
      /** Of its head. */
      readonly status: number
      /** Without its content coding. */
      readonly bytes: Buffer
      readonly index: number
      readonly isLast: boolean
      /** With these. */
      readonly sofar: number
    }
  | {
      readonly kind: 'complete'
      readonly status: number
      readonly durationMs: number
      readonly requestBytes: number
      readonly responseBytes: number
      readonly attempts: number
      /** Undefined: it did not fail. */
      readonly error: string | undefined
    }
