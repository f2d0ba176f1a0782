/** `yori hash-password`: what stands in the configuration in place of a password. */
import { Command } from 'commander'
import { hashPassword } from '../../../net/password.js'
import { PASSWORD_FILE, readSecretFile } from '../../secret-file.js'
import { decline } from './household-database.js'
import type { PolicyStateDeps } from './household-database.js'

const MIN_PASSWORD = 6

export function hashPasswordCommand(
  deps: Pick<PolicyStateDeps, 'print' | 'note' | 'exit' | 'askSecret'>,
): Command {
  return new Command('hash-password')
    .description('the hash of a password, for the configuration')
    .option(
      '--password <password>',
      'others can see it in the list of processes; unless given, it is asked for',
    )
    .option(...PASSWORD_FILE)
    .action(async (flags: { password?: string; passwordFile?: string }) => {
      const given =
        flags.passwordFile === undefined
          ? flags.password
          : readSecretFile(flags.passwordFile)
      const password = given ?? (await deps.askSecret('Password: '))
      if (password === undefined) {
        decline(
          deps,
          'there is no terminal to ask on: --password-file names a file with it',
        )
        return
      }
      if (password.length < MIN_PASSWORD) {
        decline(deps, `a password has at least ${MIN_PASSWORD} characters`)
        return
      }
      if (given === undefined) {
        const again = await deps.askSecret('Once more: ')
        if (again !== password) {
          decline(deps, 'the two are not the same')
          return
        }
      }
      deps.print(`${await hashPassword(password)}\n`)
    })
}
