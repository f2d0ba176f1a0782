/** A thing with a life. The appliance starts services in order and stops them backward. */
export interface Service {
  readonly name: string
  start(): Promise<void>
  /** Drains, then closes. Safe to call twice, and after a `start` that failed. */
  stop(): Promise<void>
}
