/** YORI inside a program: a gateway to one provider in this process, on loopback. */
export interface StartOptions {
  /** Whose requests these are; at most 128 letters, digits and `._:@/+=-`. */
  readonly agentId: string
  /** The provider's base URL, such as `https://api.openai.com`. */
  readonly target: string
  /** Whose API it speaks; `openai` unless set. */
  readonly type?: string
  /** Sent where a request has none. */
  readonly key?: string
  /** On 127.0.0.1; 0, as unless set: one that is free. */
  readonly port?: number
  /** For CA and record; unless set they are gone when it stops. */
  readonly stateDir?: string
  /** A configuration file; unless set the one that `yori` would find. */
  readonly config?: string
}

export interface RunningYori extends AsyncDisposable {
  readonly agentId: string
  readonly port: number
  /** What a library is given as its base URL, without a version. */
  readonly url: string
  readonly isRunning: boolean
  /** Ends it after what is under way; again and again if you like. */
  stop(): Promise<void>
}

/** Another one runs in this process. */
export declare class AlreadyRunning extends Error {
  override readonly name: 'AlreadyRunning'
}

/** Starts it, or gives the one that runs for the same agent, port, target and key. */
export declare function startYori(options: StartOptions): Promise<RunningYori>

/** Does one run in this process? */
export declare function isRunning(): boolean

/** Whose it is; undefined: none runs. */
export declare function currentAgentId(): string | undefined
