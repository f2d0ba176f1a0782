/**
 * The argument parser, required rather than imported: importing any CommonJS package makes Node
 * load its lexer for exports, some 5 MB that the running appliance would carry for nothing.
 */
import { createRequire } from 'node:module'
import type * as Commander from 'commander'

export const { Command, CommanderError, InvalidArgumentError } = createRequire(
  import.meta.url,
)('commander') as typeof Commander
export type Command = Commander.Command
